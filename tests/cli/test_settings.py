"""The settings of the user: what they may say, and errors that name the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import user_config_path

from liveportal.cli.settings import TABLES, read_settings, settings_path
from liveportal.domain.calculations.payout_window import DAYS
from liveportal.domain.errors import InvalidSettings, UnreadableFile

EVERYTHING = """
[calendar]
busy = ["~/own.ics"]
[reconcile]
payers = ["payouts@help.example", "Unity Technologies"]
[reconcile.windows]
paypal = 6
[reconcile.kinds]
"Allgemeine Zahlung" = "payment"
"""


def test_every_table_is_read(tmp_path: Path) -> None:
    """With a byte order mark, too, as editors on Windows write it."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf" + EVERYTHING.encode())
    settings = read_settings(file)
    assert settings.table("calendar") == {"busy": ["~/own.ics"]}
    assert settings.table("reconcile")["payers"] == ["payouts@help.example", "Unity Technologies"]
    assert settings.table("reconcile.windows") == {"paypal": 6}
    assert settings.table("reconcile.kinds") == {"Allgemeine Zahlung": "payment"}


def test_without_a_file_there_are_no_settings(tmp_path: Path) -> None:
    """And it is looked for in the user's folder."""
    settings = read_settings(tmp_path / "config.toml")
    assert all(settings.table(name) == {} for name in TABLES)


def test_the_file_is_in_the_folder_for_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`XDG_CONFIG_HOME`, where the system has it; the same that platformdirs finds."""
    for value in (str(tmp_path), "", " "):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        assert settings_path() == user_config_path("liveportal", appauthor=False) / "config.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path() == tmp_path / "liveportal" / "config.toml"


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("[reconcile]\npayer = ['x']", "reconcile.payer", "kinds, mappings, payers, windows"),
        ("[reconcil]\npayers = ['x']", "reconcil", "reconcile"),
        ("[reconcile]\npayers = 'x'", "reconcile.payers", "a list of strings"),
        ("[reconcile]\npayers = ['']", "reconcile.payers", "a list of strings"),
        ("[reconcile]\npayers = [7]", "reconcile.payers", "a list of strings"),
        ("[reconcile]\nwindows = 6", "reconcile.windows", "[reconcile.windows]"),
        ("[reconcile.windows]\npaypall = 6", "reconcile.windows.paypall", "bank, paypal, wise"),
        ("[reconcile.windows]\npaypal = -1", "reconcile.windows.paypal", "0 to 366 days"),
        ("[reconcile.windows]\npaypal = true", "reconcile.windows.paypal", "0 to 366 days"),
        ("[reconcile.windows]\npaypal = 1.5", "reconcile.windows.paypal", "0 to 366 days"),
        ("[reconcile.kinds]\nZahlung = 'pay'", "reconcile.kinds.Zahlung", "one of payment"),
        ("[reconcile.kinds]\nZahlung = 'unlisted'", "reconcile.kinds.Zahlung", "one of payment"),
        ("[reconcile.mappings]\nmine = 5", "reconcile.mappings.mine", "a table"),
        ("payers = [", "", "not TOML"),
        ("a = " + "[" * 5_000, "", "not TOML"),
        ("#" * 1_000_001, "", "larger than"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, key: str, said: str) -> None:
    """The file, the key, and what would be right."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(InvalidSettings) as caught:
        read_settings(file)
    error = caught.value
    assert error.details == {"file": str(file), "key": key}
    assert str(file) in error.message
    assert said in f"{error.message} {error.hint}"


def test_bytes_that_are_no_text_and_a_folder(tmp_path: Path) -> None:
    """Each an error of its own."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"payers = '\xff'")
    with pytest.raises(InvalidSettings, match="Byte 11 is not UTF-8"):
        read_settings(file)
    with pytest.raises(UnreadableFile):
        read_settings(tmp_path)


def test_every_window_may_be_set() -> None:
    """The providers that have a window of their own."""
    assert set(TABLES["reconcile.windows"]) == set(DAYS)
