"""Evidence files by their names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.artifacts import _EXECUTABLE, KINDS, guessed_kind, safe_name
from liveportal.domain.text import clean


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\x.png", "x.png"),
        ("..", "evidence"),
        ("", "evidence"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("a b (1).mp4", "a b (1).mp4"),
        ("a;$(x)|y`z.txt", "a__(x)_y_z.txt"),
        ("x" * 300 + ".png", "x" * 100 + ".png"),
        ("x" * 300, "x" * 100),
        ("a." + "y" * 300, "a." + "y" * 98),
        ("Rechnung\u202egnp.exe", "Rechnunggnp.exe.txt"),
        ("A.SH", "A.SH.txt"),
        ("a.b.desktop ", "a.b.desktop.txt"),
        ("shader.js.", "shader.js.txt"),
        ("Zoë 李.txt", "Zoë 李.txt"),
        ("a" * 96 + ".exe" + "x" * 20, "a" * 96 + ".exe.txt"),
        ("a" * 99 + ". " + "b" * 30, "a" * 99),
        ("x.library-ms", "x.library-ms.txt"),
        ("x.SettingContent-ms", "x.SettingContent-ms.txt"),
        ("CON", "_CON"),
        ("nul.png", "_nul.png"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("LPT\u00b9", "_LPT\u00b9"),
        ("conin$ .txt", "conin_ .txt"),
        ("console.log", "console.log"),
    ],
)
def test_safe_names(name: str, safe: str) -> None:
    """One plain name of moderate length, that no program runs."""
    assert safe_name(name) == safe


@given(st.text() | st.text("./\\-~ \x00\x1b:a"))
def test_no_name_leaves_its_folder(name: str) -> None:
    """Any name results in a file in the given folder."""
    safe = safe_name(name)
    assert Path("/folder", safe).parent == Path("/folder")
    assert safe not in ("", ".", "..")
    assert not safe.startswith((".", "-", "~"))
    assert clean(safe) == safe
    assert 1 <= len(safe) <= 130
    assert safe_name(safe) == safe
    assert guessed_kind(name) in KINDS


@given(
    st.text("aé.- \u0301", max_size=130),
    st.sampled_from(sorted(_EXECUTABLE)),
    st.text("xé.- ", max_size=30),
)
def test_what_a_system_would_run_is_text(before: str, suffix: str, after: str) -> None:
    """Wherever a name is cut, the rest is not the name of a program."""
    kept = Path(safe_name(before + suffix + after))
    assert kept.suffix.lower() not in _EXECUTABLE
