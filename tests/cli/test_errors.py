"""Every failure has an exit code and a sentence; nothing ends in a traceback."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

import liveportal
from liveportal.cli.io.errors import EXIT_CODES, exit_code_for, hint_for, wrapped, write_failure
from liveportal.cli.io.usage import suggestion, usage_message
from liveportal.domain.errors import DoubleBooking, LiveportalError
from tests.cli.conftest import Terminal
from tests.cli.sample import FAILURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Run

SAMPLE = """
import sys
from liveportal.cli.app import COMMANDS, LazyGroup
COMMANDS["sample"] = LazyGroup("tests.cli.sample", "Samples.")
COMMANDS["single"] = LazyGroup("tests.cli.sample_single", "One command.")
from liveportal.__main__ import main
sys.exit(main())
"""


def program(*argv: str, **settings: Any) -> subprocess.CompletedProcess[bytes]:  # noqa: ANN401
    """Run the program, with the sample commands, in a process of its own with buffered output."""
    environment = {name: value for name, value in os.environ.items() if name[:6] != "PYTHON"}
    return subprocess.run(
        [sys.executable, "-c", SAMPLE, *argv],
        cwd=Path(__file__).parents[2],
        env=environment | settings.pop("variables", {}),
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        **settings,
    )


def all_failures(
    family: type[LiveportalError] = LiveportalError,
) -> Iterator[type[LiveportalError]]:
    """Yield every class of failure in the package."""
    for module in pkgutil.walk_packages(liveportal.__path__, "liveportal."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    todo = [family]
    while todo:
        for subclass in todo.pop().__subclasses__():
            todo.append(subclass)
            if subclass.__module__.startswith("liveportal."):
                yield subclass


def test_every_failure_has_an_exit_code_and_a_purpose() -> None:
    """A class outside the families would exit 1 as if it were malformed input."""
    codes: dict[str, type[LiveportalError]] = {}
    for failure in all_failures():
        assert set(failure.__mro__) & EXIT_CODES.keys(), f"{failure} is of no family"
        assert failure.__doc__, f"{failure} does not say what it is for"
        other = codes.setdefault(failure.code, failure)
        related = issubclass(failure, other) or issubclass(other, failure)
        assert related, f"{failure} and {other} have the same code"
    assert len(codes) > len(EXIT_CODES)


def test_exit_codes_are_the_contracts() -> None:
    """Scripts rely on these numbers."""
    assert {family.code: code for family, code in EXIT_CODES.items()} == {
        "invalid_input": 1,
        "not_found": 3,
        "refused": 4,
        "busy": 5,
        "integrity_failed": 6,
        "confirmation_needed": 7,
        "output_failed": 74,
    }
    assert exit_code_for(LiveportalError("of no family")) == 1


def test_a_refusal_as_text(run: Run) -> None:
    """What failed and what to do next, without characters that a terminal would obey."""
    result = run("sample", "fail", "refused")
    assert result == (4, "", "error: It is ended.\nLook at it.\n")


def test_a_refusal_as_json(run: Run) -> None:
    """One line on standard error, with the details a script would look for in the sentence."""
    for option in ("--json", "--jsonl"):
        result = run("sample", "fail", "refused", option)
        assert (result.code, result.out, result.err.count("\n")) == (4, "", 1)
        assert "\x1b" not in result.err
        assert json.loads(result.err) == {
            "error": {
                "code": "wrong_state",
                "message": "It is \x1b[31mended.",
                "hint": "Look at it.",
                "exit": 4,
                "details": {"state": "ended", "since": "2026-10-05T00:00:00Z", "odd": "{1}"},
            }
        }


def test_a_caution_names_its_override(run: Run) -> None:
    """The hint names the option that overrides the caution."""
    assert run("sample", "fail", "caution") == (
        4,
        "",
        "error: It overlaps S-2.\nTo do it anyway, add --overlap.\n",
    )


def test_a_hint_of_its_own_wins() -> None:
    """A hint given with a caution wins over the hint of its class."""
    assert hint_for(DoubleBooking("it overlaps", hint="Choose slot 2.")) == "Choose slot 2."


def test_wrong_usage(run: Run) -> None:
    """Exit 2, the command named, and JSON if JSON was asked for, wherever the option is."""
    result = run("sample", "rows", "--xyz")
    assert result == (
        2,
        "",
        "error: There is no option --xyz.\nSee 'liveportal sample rows --help'.\n",
    )
    result = run("sample", "rows", "--jsom", "--json")
    assert result.code == 2
    assert json.loads(result.err)["error"]["code"] == "usage"
    assert json.loads(result.err)["error"]["details"] == {"command": "liveportal sample rows"}
    assert "The argument how is missing." in run("sample", "fail").err
    assert not run("sample", "fail", "--", "--json").err.startswith("{")


def test_a_bug_is_reported_as_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user sees no traceback and no value, only where to look; everything on demand."""
    result = run("sample", "fail", "bug")
    assert result.code == 1
    assert result.err.startswith(
        "error: This is a bug in liveportal: ZeroDivisionError in liveportal/cli/"
    )
    assert "LIVEPORTAL_DEBUG=1" in result.err
    assert "secret" not in result.err
    assert "Traceback" not in result.err
    assert json.loads(run("sample", "fail", "bug", "--json").err)["error"]["code"] == "bug"
    monkeypatch.setenv("LIVEPORTAL_DEBUG", "1")
    assert "Traceback" in run("sample", "fail", "bug").err
    assert run("sample", "fail", "file").code == 1


@pytest.mark.parametrize("how", ["interrupt", "abort"])
def test_an_interruption_is_130(run: Run, how: str) -> None:
    """As a shell has it."""
    assert run("sample", "fail", how) == (130, "", "error: The command was interrupted.\n")
    assert json.loads(run("sample", "fail", how, "--json").err)["error"]["code"] == "interrupted"


def test_a_command_may_end_with_a_code_of_its_own(run: Run) -> None:
    """A batch reports its failures as results and exits with the first one's code."""
    assert run("sample", "fail", "exit") == (4, "", "")


def test_a_closed_pipe_is_no_failure(run: Run) -> None:
    """`| head` has seen enough."""
    assert run("sample", "fail", "pipe") == (0, "", "")


def test_a_full_disk_is_a_failure(run: Run) -> None:
    """Results cut short must not pass for success."""
    result = run("sample", "fail", "disk")
    assert result == (74, "", "error: The output could not be written: No space left on device.\n")


def test_every_sample_failure_was_tried() -> None:
    """The tests above name each of them."""
    assert set(FAILURES) == {
        *("refused", "caution", "bug", "file", "interrupt", "abort", "exit", "pipe", "disk"),
    }


def test_a_terminal_gets_colour(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word "error" is red for people, unless they want no colour."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for off, start in (("", "\x1b[1;31merror:\x1b[0m It is ended."), ("1", "error: It is ended.")):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("NO_COLOR", off)
        run("sample", "fail", "refused")
        assert terminal.getvalue().startswith(start)


def test_a_closed_standard_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without standard error the exit code is still right."""
    monkeypatch.setattr(sys, "stderr", None)
    assert run("sample", "fail", "refused").code == 4


# --- as a process -----------------------------------------------------------------------------


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="only Linux has a disk that is always full"
)
@pytest.mark.parametrize(
    "argv", [("sample", "rows"), ("sample", "secret"), ("--help",), ("--version",)]
)
def test_a_full_disk_ends_with_74(argv: tuple[str, ...]) -> None:
    """Also when the failure shows only at the last flush; reported once, in one sentence."""
    with Path("/dev/full").open("wb") as full:
        result = program(*argv, stdout=full)
    assert result.returncode == 74
    assert result.stderr == b"error: The output could not be written: No space left on device.\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes close otherwise elsewhere")
@pytest.mark.parametrize("count", ["3", "10000"])
def test_a_reader_that_leaves_early(count: str) -> None:
    """Nothing is printed, not even by Python as it exits, and the exit code is 0."""
    reader, writer = os.pipe()
    os.close(reader)
    result = program("sample", "rows", "--count", count, stdout=writer)
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.skipif(os.name != "posix", reason="descriptors are not inherited like this elsewhere")
def test_no_standard_output_at_all() -> None:
    """`>&-`: results that have nowhere to go are a failure."""
    result = program("sample", "rows", preexec_fn=lambda: os.close(1))
    assert result.returncode == 74
    assert result.stderr == b"error: There is no standard output.\nUse --output FILE.\n"


def test_a_pipe_gets_utf_8_whatever_the_locale() -> None:
    """Scripts need not guess the encoding, and no character makes a command fail."""
    result = program(
        *("single", "Mína", "\udcff"),
        stdout=subprocess.PIPE,
        variables={"PYTHONIOENCODING": "ascii"},
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "Mína\n\n".encode()


LONG = "Session S-1 has ended (2026-10-05 10:00 UTC), so it cannot be paused."
NEXT = "An ended session can only be corrected: `liveportal sessions correct S-1`."


def test_a_terminal_wraps_a_message_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """At its width, message and hint each on lines of their own; no command is cut."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    write_failure("wrong_state", LONG, 4, [], hint=NEXT)
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(lines) == f"error: {LONG} {NEXT}"
    assert any(line.startswith("An ended session") for line in lines)
    assert any("`liveportal sessions correct S-1`" in line for line in lines)


def test_a_long_word_is_not_broken() -> None:
    """A path or a command that is wider than the terminal can still be copied."""
    path = "/home/anna/" + "x" * 100
    assert wrapped(f"{path} cannot be read.").split("\n")[0] == path


def test_a_pipe_gets_whole_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line for the message, one for the hint, however long they are."""
    monkeypatch.setenv("COLUMNS", "40")
    write_failure("wrong_state", LONG, 4, [], hint=NEXT)
    assert capsys.readouterr().err == f"error: {LONG}\n{NEXT}\n"
    write_failure("wrong_state", LONG, 4, ["--json"], hint=NEXT)
    assert json.loads(capsys.readouterr().err)["error"]["message"] == LONG


@pytest.mark.parametrize(
    ("argv", "message", "hint"),
    [
        (("rows", "--jsno"), "There is no option --jsno.", "Did you mean --json"),
        (("nope",), "There is no command 'nope'.", "--help"),
        (("fail",), "The argument how is missing.", "sample fail --help"),
        (("rows", "more"), "There are too many arguments: more.", "--help"),
    ],
)
def test_wrong_usage_is_a_sentence(
    run: Run, argv: tuple[str, ...], message: str, hint: str
) -> None:
    """Typer's own errors in the words of this program."""
    error = json.loads(run("sample", *argv, "--json").err)["error"]
    assert (error["code"], error["exit"]) == ("usage", 2)
    assert error["message"].startswith(message)
    assert hint in error["hint"]


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (("tip", "S-1", "5"), "Did you mean `liveportal sessions tip`?"),
        (("dispute", "attach"), "Did you mean `liveportal sessions attach`?"),
        (("concede",), "Did you mean `liveportal refunds concede`?"),
    ],
)
def test_a_command_of_another_group_is_suggested(
    run: Run, argv: tuple[str, ...], hint: str
) -> None:
    """A word is often remembered without its group."""
    assert hint in json.loads(run(*argv, "--json").err)["error"]["hint"]


def test_what_is_similar_is_suggested() -> None:
    """Few choices are listed; of many, only similar ones, and the command that lists them."""
    few, many = ["id", "state"], [f"field_{number}" for number in range(40)]
    assert suggestion("stat", few, "x") == "Did you mean state? The choices are: id, state."
    assert suggestion("zzz", many, "`--help` lists them.") == "`--help` lists them."
    close = suggestion("field_7", many, "`--help` lists them.")
    assert close.startswith("Did you mean field_7 or ")
    assert close.endswith("? `--help` lists them.")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("0 is not in the range x>=1.", "0 is less than 1."),
        ("9 is not in the range x<=5.", "9 is more than 5."),
        ("9 is not in the range 1<=x<=5.", "9 is not from 1 to 5."),
        ("'x' is not a valid integer.", "'x' is not a whole number."),
        ("give one", "Give one."),
    ],
)
def test_what_typer_says_in_our_words(said: str, sentence: str) -> None:
    """Ranges and numbers without formulas; every message is a sentence."""
    assert usage_message(typer.BadParameter(said)) == sentence
    shown = usage_message(typer.BadParameter(said, param_hint="--limit"))
    assert shown == f"The value of --limit is not valid: {sentence}"
