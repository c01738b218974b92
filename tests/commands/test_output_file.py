"""No output overwrites a file in use, and an empty value is no value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "command",
    [
        ("policy", "show", "quarter-hour"),
        ("policy", "check", "quarter-hour"),
        ("ledger", "path"),
        ("ledger", "verify"),
        ("earnings", "months"),
    ],
)
def test_no_output_replaces_the_ledger(october: Shell, command: tuple[str, ...]) -> None:
    """`-o` with the ledger's own path is refused by every command."""
    ledger = october.ok("ledger", "path")["path"]
    assert october.run(*command, "-o", ledger).code == 74
    assert october.ok("ledger", "verify")["ok"] is True


def test_init_does_not_write_its_result_over_the_ledger(nothing: Shell, tmp_path: Path) -> None:
    """The path of a ledger that is about to be made is in use already."""
    path = tmp_path / "x.db"
    assert nothing.run("init", "--ledger", path, "-o", path).code == 74
    assert not path.exists()


def test_an_empty_time_is_no_time(october: Shell) -> None:
    """`--at "$UNSET"` must not mean now, nor an empty `--as-known` today."""
    assert october.run("requests", "decline", "REQ-1006", "--at", "").code == 1
    assert october.run("requests", "list", "--as-known", "").code == 1


def test_a_folder_is_no_ledger(nothing: Shell) -> None:
    """`--ledger .` and `--ledger /` are reported, not as a bug."""
    for path in (".", "/"):
        assert nothing.run("init", "--ledger", path).code == 4


def test_a_name_too_long_is_no_policy(nothing: Shell) -> None:
    """A policy name that no file can have is reported, not as a bug."""
    ran = nothing.run("policy", "check", "a" * 300)
    assert ran.code == 1
    assert "bug" not in ran.err
