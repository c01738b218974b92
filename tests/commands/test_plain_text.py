"""`ledger export hledger|ledger|beancount` and `earnings months --against`, as a user runs them."""

from __future__ import annotations

import shutil

import pytest

from tests.kit.shell import Shell

PROGRAMS = ("hledger", "ledger", "beancount")
AGAINST = ("earnings", "months", "--against")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_file_is_written_whole(october: Shell, program: str) -> None:
    """The same as on standard output; the summary says how much it is."""
    path = october.folder / "book.txt"
    row = october.ok("ledger", "export", program, "-o", path)
    assert (row["first_month"], row["last_month"]) == ("2026-10", "2026-10")
    text = path.read_text(encoding="utf-8")
    assert text == october.run("ledger", "export", program).out
    assert text.count(" * ") == row["transactions"] > 0
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_titles_are_left_out_unless_wanted(october: Shell, program: str) -> None:
    """They are personal, and a file that was given away is never erased."""
    title = "Shader flickers on Android"
    assert title not in october.run("ledger", "export", program).out
    assert title in october.run("ledger", "export", program, "--with-titles").out


def test_a_ledger_is_not_written_over(october: Shell) -> None:
    """Neither this one nor its journal."""
    october.refuses(74, "ledger", "export", "hledger", "-o", october.ledger)


def test_a_part_opens_with_its_balances(october: Shell) -> None:
    """What the months before left in the accounts, against equity."""
    text = october.run("ledger", "export", "ledger", "--from", "2026-11").out
    assert "opening balances" in text
    assert "equity:opening  -" in text
    assert "earning" not in text


def test_as_known_has_what_was_recorded_by_then(october: Shell) -> None:
    """Nothing was recorded before the ledger was made."""
    text = october.run("ledger", "export", "hledger", "--as-known", "2001-01-01").out
    assert " * " not in text


@pytest.mark.skipif(not shutil.which("hledger"), reason="hledger is not installed")
def test_a_comparison_names_the_program_and_its_version(october: Shell) -> None:
    """No rows where all figures agree."""
    ran = october.run(*AGAINST, "hledger", "--exit-code", "--json")
    assert (ran.code, ran.out) == (0, "[]\n")
    assert "Compared with hledger" in ran.err


@pytest.mark.skipif(not shutil.which("hledger"), reason="hledger is not installed")
def test_the_users_settings_change_nothing(october: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither another file nor another locale."""
    monkeypatch.setenv("LEDGER_FILE", "/nowhere")
    monkeypatch.setenv("LC_ALL", "C")
    assert october.run(*AGAINST, "hledger", "--exit-code").code == 0


def test_a_missing_program_is_named(october: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its package."""
    monkeypatch.setenv("PATH", "")
    error = october.refuses(3, *AGAINST, "beancount")
    assert error["code"] == "not_installed"
    assert error["details"]["package"] == "beancount beanquery"


def test_a_failing_program_is_an_error(october: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it said, cleaned."""
    program = october.file("hledger", "#!/bin/sh\nprintf 'broken\\033[2J' >&2; exit 3\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(october.folder))
    error = october.refuses(1, *AGAINST, "hledger")
    assert error["code"] == "program_failed"
    assert error["hint"] == "It said: broken"


def test_an_answer_that_is_no_answer_is_an_error(
    october: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of the same name that is another one."""
    program = october.file("ledger", "#!/bin/sh\necho 2026-10 assets:bank many\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{october.folder}:/usr/bin:/bin")
    assert october.refuses(1, *AGAINST, "ledger")["code"] == "program_failed"


def test_another_name_is_wrong_usage(october: Shell) -> None:
    """Those that there are are named."""
    ran = october.run(*AGAINST, "gnucash")
    assert ran.code == 2
    assert "hledger, ledger, beancount" in ran.err
