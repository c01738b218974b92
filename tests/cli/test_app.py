"""The command line as a whole: lazy groups, help, suggestions, completion, what is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liveportal import __main__, __version__
from liveportal.cli.app import COMMANDS
from liveportal.cli.io.text import clean
from tests.cli.conftest import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Run

HEAVY = {
    *("babel", "click", "dateutil", "pendulum", "platformdirs", "pydantic", "rich"),
    *("sqlalchemy", "sqlmodel"),
}


def imported_by(*argv: str) -> set[str]:
    """Return the modules that a run of the program imports, its output going into a pipe."""
    code = """if True:
        import sys
        sys.argv[0] = "liveportal"
        from liveportal.__main__ import main
        if sys.argv[1:2] == ["sample"]:
            from liveportal.cli.app import COMMANDS, LazyGroup
            COMMANDS["sample"] = LazyGroup("tests.cli.sample", "Samples.")
        code = main()
        print(*sys.modules, file=sys.stderr)
        sys.exit(code)
    """
    result = subprocess.run(
        [sys.executable, "-c", code, *argv],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stdout
    return set(result.stderr.split())


def test_the_version_needs_no_command_line() -> None:
    """`--version` is answered before anything is imported."""
    modules = imported_by("--version")
    assert "liveportal.cli" not in modules
    assert "typer" not in modules


def test_help_imports_no_command() -> None:
    """The root's help reads the table; in a pipe it needs no rich."""
    modules = imported_by("--help")
    assert not {lazy.module for lazy in COMMANDS.values()} & modules
    assert not HEAVY & modules


def test_a_piped_command_is_light() -> None:
    """The imports that every read needs cost little more than Typer itself."""
    modules = imported_by("sample", "--json", "--ledger", "/x")
    assert "tests.cli.sample" in modules
    assert not HEAVY & modules


def test_the_version(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same however it is asked for."""
    assert run("--ledger", "/x", "--version").out == f"liveportal {__version__}\n"
    monkeypatch.setattr(sys, "argv", ["liveportal", "--version"])
    assert __main__.main() == 0
    assert capsys.readouterr().out == f"liveportal {__version__}\n"


def test_an_interruption_while_importing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is 130 from the first moment on."""

    def interrupted(_argv: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("liveportal.cli.main.main", interrupted)
    monkeypatch.setattr(sys, "argv", ["liveportal"])
    assert __main__.main() == 130


def test_the_roots_help_lists_every_command(run: Run) -> None:
    """With a line for each; bare and `-h` are the same."""
    result = run("--help")
    assert result == run() == run("-h")
    assert result.code == 0
    assert "LIVEPORTAL_LEDGER" in result.out
    listed = result.out.partition("Commands:\n")[2].partition("\n\n")[0]
    lines = [line.split(maxsplit=1) for line in listed.splitlines()]
    assert lines == [[name, lazy.help] for name, lazy in COMMANDS.items()]


def test_a_line_of_a_list_of_commands_fits_eighty_columns(run: Run) -> None:
    """Each command's line is short, and no list cuts one."""
    for group in ((), ("requests",), ("sessions",), ("preferences",), ("policy",), ("customers",)):
        listed = run(*group, "--help").out.partition("Commands:\n")[2].partition("\n\n")[0]
        lines = [line.split(maxsplit=1)[1] for line in listed.splitlines()]
        assert lines
        assert all(len(line) <= 55 and line.endswith(".") for line in lines), lines
        assert "..." not in listed


def test_examples_are_printed_as_they_were_written(run: Run) -> None:
    """Their line breaks are kept, and brackets are brackets."""
    out = run("sample", "summary", "--help").out
    assert "  Examples:\n    liveportal sample --month oct\n    liveportal sample --json\n" in out
    assert "The month [such as oct]." in out
    sections = [line for line in out.splitlines() if line.endswith(":") and line[0] != " "]
    assert sections == ["Options:", "Ledger and time:", "Output:"]


def test_a_groups_help(run: Run) -> None:
    """It lists its commands, without the hidden ones, and names the default one."""
    out = run("sample", "--help").out
    assert "Samples, [bold] and plain." in out
    assert "Default command: summary." in out
    commands = out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in commands.splitlines()] == [
        *("summary", "rows", "write", "fail", "within"),
    ]
    assert run("sample", "secret").out == "hush\n"


@pytest.mark.parametrize("argv", [("sample", "within"), ("sample", "within", "--ledger", "/x")])
def test_a_bare_group_without_a_default_shows_its_help(run: Run, argv: tuple[str, ...]) -> None:
    """There is no command to run, and no error."""
    result = run(*argv)
    assert result.code == 0
    assert "Go deep." in result.out


def test_help_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has colour unless that is off; no bracket is taken for markup."""
    monkeypatch.setenv("TERM", "xterm")
    for off in ("", "1"):
        monkeypatch.setenv("NO_COLOR", off)
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        assert run("sample", "--help").code == 0
        assert run("sample", "summary", "--help").code == 0
        assert ("\x1b[" in terminal.getvalue()) == (not off)
        lines = [clean(line).strip() for line in terminal.getvalue().splitlines()]
        assert "Samples, [bold] and plain." in lines
        assert any("Output" in line for line in lines)
        assert any("[such as oct]" in line for line in lines)
        assert lines[lines.index("Examples:") :][1:3] == [
            "liveportal sample --month oct",
            "liveportal sample --json",
        ]


def test_a_command_that_is_no_group(run: Run) -> None:
    """`sync`, `init` and `demo` are of this kind."""
    assert run("single", "a", "b").out == "a\nb\n"
    assert "Take names." in run("single", "--help").out


@pytest.mark.parametrize(
    "argv",
    [("-3.50", "a", "-3.50", "-1"), ("--tsv", "-3.50", "a", "-3.50", "-1", "--field", "name")],
)
def test_a_negative_number_is_no_option(run: Run, argv: tuple[str, ...]) -> None:
    """It keeps its position among the arguments; anything that is not a number is an option."""
    assert run("single", *argv).out == "-3.50\na\n-3.50\n-1\n"
    assert run("single", "-3.x").code == 2
    assert run("single", "-3.50", "--output").code == 2
    assert run("single", "--", "-3", "--tsv").out == "-3\n--tsv\n"


@pytest.mark.parametrize(
    "argv",
    [
        ("sample",),
        ("sample", "--field", "month"),
        ("sample", "--month", "2026-10", "--tsv"),
        ("sample", "--ledger", "/x", "--month", "2026-10"),
        ("sample", "summary"),
    ],
)
def test_bare_or_option_first_is_the_default_command(run: Run, argv: tuple[str, ...]) -> None:
    """And none of its options is dropped."""
    result = run(*argv)
    assert result.code == 0
    assert result.out.startswith("2026-10")


def test_an_option_before_the_command_is_not_dropped(run: Run) -> None:
    """`earnings --json months` could mean either: it is refused with the order that works."""
    result = run("sample", "--tsv", "rows")
    assert result.code == 2
    assert "Give the command rows before its options." in result.err


def test_other_usage_errors_are_left_alone(run: Run) -> None:
    """The order is only mentioned if a command comes too late."""
    assert "before its options" not in run("sample", "--tsv", "nothing").err
    assert "before its options" not in run("sample", "rows", "rows").err


@pytest.mark.parametrize(
    ("argv", "suggestion"),
    [
        (("requets",), "'requests'"),
        (("sample", "row"), "'rows'"),
        (("sample", "within", "dep"), "'deep'"),
    ],
)
def test_typos_are_answered(run: Run, argv: tuple[str, ...], suggestion: str) -> None:
    """The error suggests the command that was probably meant."""
    result = run(*argv)
    assert result.code == 2
    assert f"Did you mean {suggestion}?" in result.err


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("liveportal samp", {"sample"}),
        ("liveportal sample ", {"summary", "rows", "write", "fail", "within"}),
        ("liveportal sample ro", {"rows"}),
        ("liveportal sample --mo", {"--month"}),
        ("liveportal --ledger x sample rows --js", {"--json", "--jsonl"}),
        ("liveportal sample within ", {"deep"}),
    ],
)
def test_completion(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    completions: set[str],
) -> None:
    """A shell completes commands and options, of groups that are not yet imported, too."""
    monkeypatch.setenv("_LIVEPORTAL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    ran = run()
    assert ran.code == 0
    assert set(ran.out.split()) == completions


@pytest.mark.skipif(os.name != "posix", reason="the script is a shell's")
def test_the_completion_script_is_for_this_program(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a shell sources calls `liveportal` with the variable that it looks for."""
    monkeypatch.setenv("_LIVEPORTAL_COMPLETE", "source_zsh")
    assert "_LIVEPORTAL_COMPLETE=complete_zsh" in run().out
