"""What shells complete: values of options and arguments, asked as Typer's shell scripts ask."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from liveportal.cli.app import Group, app
from liveportal.ledger.opening import open_untouched
from liveportal.ledger.queries import suggestions
from liveportal.ledger.storage.driver import connect
from tests.commands.test_imports import HEAVY, OWN, PROBE, SLOW
from tests.kit.events import amount, line
from tests.kit.large_ledger import feed, make_ledger, watch_engine
from tests.kit.shell import PROGRAM, Shell

pytestmark = pytest.mark.slow


HOSTILE = "\\$(touch made) `touch made` '\"; touch made; #\x1b[31m\na:b [red]c[/red] \u202edcba:::e"
CLEANED = "\\$(touch made) `touch made` '\"; touch made; # a:b [red]c[/red]"
ZSH = "local -a completions; completions=({}); _describe -V value completions\n"


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 -- A function with defaults.
    """Give a function that asks what completes the last word of a line, and returns the answer."""

    def asked(shell: Shell, typed: str, *, by: str = "fish") -> str:
        words = f"liveportal {typed}"
        last = "" if words.endswith(" ") else words.rsplit(maxsplit=1)[-1]
        for name, value in {
            "_LIVEPORTAL_COMPLETE": f"complete_{by}",
            "_TYPER_COMPLETE_ARGS": words,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": last,
            "COMP_WORDS": words.replace(" ", "\n"),
            "COMP_CWORD": str(words.count(" ")),
        }.items():
            monkeypatch.setenv(name, value)
        ran = shell.run()
        assert (ran.code, ran.err) == (0, ""), (typed, ran)
        return ran.out

    return asked


@pytest.fixture
def complete(ask: Any) -> Any:  # noqa: ANN401 -- As above.
    """Give a function that returns the values and texts that complete a line."""

    def completed(shell: Shell, typed: str) -> dict[str, str]:
        lines = (row for row in ask(shell, typed).split("\n") if row)
        return {value: text for value, _, text in (row.partition("\t") for row in lines)}

    return completed


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("requests accept ", ["REQ-2001", "REQ-1006"]),
        ("requests show REQ-200", ["REQ-2004", "REQ-2003", "REQ-2002", "REQ-2001"]),
        ("sessions start ", ["S-UP"]),
        ("sessions pause ", ["S-LIVE"]),
        ("sessions resume ", ["S-PAUSED"]),
        ("sessions end S-P", ["S-PAUSED"]),
        ("sessions end S-LIVE ", ["S-PAUSED"]),
        ("sessions show S-100", ["S-1004", "S-1003", "S-1002", "S-1001"]),
        ("sessions tip ", ["S-1004", "S-1003", "S-1002", "S-1001"]),
        ("refunds concede ", ["CL-2"]),
        ("refunds withdraw ", ["CL-2", "CL-1"]),
        ("dispute file ", ["CL-2"]),
        ("dispute rule ", ["CL-1"]),
        ("dispute show ", ["CL-2", "CL-1"]),
        ("payout paid ", ["PO-1"]),
        ("payout return ", ["PO-2"]),
        ("ledger reverse P", ["PO-2", "PO-1"]),
        ("sessions list --customer C-7", ["C-77"]),
        ("earnings --month 2", ["2026-12", "2026-10"]),
        ("earnings --year ", ["2026"]),
        ("earnings statement 2", ["2026-12", "2026-10", "2026"]),
        ("earnings --by ", ["customer", "skill", "kind", "weekday"]),
        ("sessions list --state en", ["ended"]),
        ("sessions list --state ended,li", ["ended,live"]),
        ("payout list --state=se", ["sent"]),
        ("requests list --sort r", ["rate"]),
        ("earnings months --fields month,disp", ["month,disputes"]),
        ("requests accept --field ses", ["session"]),
        ("due --timezone Europe/Pari", ["Europe/Paris"]),
        ("sessions cancel S-UP --by ", ["expert", "customer", "platform"]),
        ("sessions review S-1001 ", ["1", "2", "3", "4", "5"]),
        ("sessions attach S-1001 f --kind t", ["transcript"]),
        ("policy use q", ["quarter-hour"]),
        ("policy show o", ["own.toml"]),
        ("payout profile set --tax-form w8", ["w8ben"]),
        ("init --currency EU", ["EUR"]),
        ("requests list --skill sh", ["shaders"]),
        ("sessions show -", None),
    ],
)
def test_values_are_completed(
    states: Shell,
    complete: Any,  # noqa: ANN401 -- As the fixture.
    typed: str,
    values: list[str] | None,
) -> None:
    """Ids that a command takes, the newest first, and the words of options."""
    if "--skill" in typed:
        states.ok("preferences", "set", "--skill", "shaders", "--skill", "c++")
    states.file("own.toml", "")
    completed = list(complete(states, typed))
    if values is None:
        assert "--follow" in completed
    else:
        assert completed == values


def test_texts_stand_beside_ids(october: Shell, complete: Any) -> None:  # noqa: ANN401
    """The title, and of money the amount."""
    assert complete(october, "sessions show S-1001") == {"S-1001": "Shader flickers on Android"}
    assert complete(october, "refunds show ") == {"CL-1": "60.00 USD, Shader flickers on Android"}
    texts = complete(october, "earnings --month ")
    assert list(texts) == ["this", "last", "2026-10"]
    assert texts["last"] < texts["this"]


@pytest.fixture
def hostile(empty: Shell) -> Shell:
    """Give a shell whose ledger has a request with a title that attacks shells."""
    opened = line(
        "request.opened",
        "11-01 10:00",
        id="1",
        request="R:1",
        kind="instant",
        customer={"id": "C-1"},
        title=HOSTILE,
        rate=amount("3"),
    )
    empty.ok("sync", empty.file("feed.jsonl", opened))
    return empty


@pytest.mark.parametrize(
    ("by", "answer"),
    [
        ("bash", "R:1\n"),
        ("fish", f"R:1\t{CLEANED[:59]}…\n"),
        ("powershell", f"R:1:::{CLEANED[:59]}…\n"),
        ("zsh", ZSH.format("'R\\:1:" + CLEANED[:59].replace("'", "'\"'\"'") + "…'")),
    ],
)
def test_a_hostile_title_is_one_short_line(
    hostile: Shell,
    ask: Any,  # noqa: ANN401 -- As the fixture.
    by: str,
    answer: str,
) -> None:
    """It is cleaned, cut and quoted: neither the terminal nor the shell obeys it."""
    assert ask(hostile, "requests show ", by=by) == answer


def test_zsh_evaluates_nothing_of_a_title(hostile: Shell, ask: Any) -> None:  # noqa: ANN401
    """The quotes hold in bash, too, where the tests can run them: nothing is executed."""
    answer = ask(hostile, "requests show ", by="zsh").replace("local -a completions; ", "")
    hostile.file("answer", answer)
    script = "_describe() { printf '%s' \"${completions[0]}\"; }; eval $(cat answer)"
    done = subprocess.run(
        ["bash", "-fc", script],  # noqa: S607
        capture_output=True,
        cwd=hostile.folder,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"R\\:1:{CLEANED[:59]}…"
    assert not (hostile.folder / "made").exists()


def test_bash_splits_words_at_colons_and_equals_signs(
    hostile: Shell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What stands before the colon is typed already; `--sort=r` comes as three words."""
    monkeypatch.setenv("_LIVEPORTAL_COMPLETE", "complete_bash")
    for words, answer in {
        ("requests", "show", "R", ":"): "1\n",
        ("requests", "show", "R", ":", "1"): "1\n",
        ("requests", "list", "--sort", "=", "r"): "rate\n",
        ("requests", "list", "--kind", "="): "instant\nscheduled\n",
        ("requests", "list", "--kind", "=", "instant", "--sort", "ex"): "expires\n",
    }.items():
        monkeypatch.setenv("COMP_WORDS", "\n".join(("liveportal", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        assert hostile.run().out == answer


def test_bash_completes(states: Shell) -> None:
    """The script that `--install-completion` installs, in bash itself."""
    program = states.file("liveportal", f'#!/bin/sh\nexec "{PROGRAM[0]}" -m liveportal "$@"\n')
    program.chmod(0o700)
    script = """
        unset -f liveportal; PATH=$PWD:$PATH
        source <(_LIVEPORTAL_COMPLETE=source_bash liveportal)
        COMP_WORDS=(liveportal sessions end "") COMP_CWORD=3
        _liveportal_completion liveportal
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    assert states.script(script).out.split() == ["S-PAUSED", "S-LIVE"]


def test_values_that_a_shell_would_not_take_as_words_are_left_out(
    empty: Shell,
    ask: Any,  # noqa: ANN401
) -> None:
    """A skill with spaces is quoted for bash; a file's name with a command in it is left out."""
    empty.ok("preferences", "set", "--skill", "two words", "--skill", "$(touch made)")
    assert ask(empty, "preferences set --remove-skill ", by="bash") == "'two words'\n"
    empty.file("$(touch made).toml", "")
    empty.file("a.toml", "")
    assert "touch" not in ask(empty, "policy use ", by="bash")


# --- which ledger, and what cannot be read --------------------------------------------------------


def test_the_ledger_that_was_typed_is_read(
    october: Shell,
    complete: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before or after the subcommand, with `~`; else the variable's."""
    october.ledger.rename(october.folder / "other.db")
    monkeypatch.setenv("HOME", str(october.folder))
    monkeypatch.setenv("USERPROFILE", str(october.folder))
    for typed in (
        "--ledger other.db refunds show ",
        "refunds --ledger other.db show ",
        "refunds show --ledger other.db ",
        "refunds show --ledger ~/other.db ",
    ):
        assert list(complete(october, typed)) == ["CL-1"]
    assert complete(october, "refunds show ") == {}
    monkeypatch.setenv("LIVEPORTAL_LEDGER", "other.db")
    assert list(complete(october, "refunds show ")) == ["CL-1"]


def _locked(path: Path) -> Iterator[None]:
    connection = connect(str(path))  # Two copies of SQLite do not see each other's locks.
    connection.execute("PRAGMA journal_mode = DELETE")  # In WAL mode readers do not wait.
    connection.execute("BEGIN EXCLUSIVE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


def _with_version(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def _spoil(path: Path, state: str) -> None:
    """Bring a ledger into a state in which it cannot be read as it is."""
    content = path.read_bytes()
    if state in ("newer", "older"):
        _with_version(path, 99 if state == "newer" else 6)
        return
    if state == "interrupted":
        path.with_name("ledger.db-journal").write_bytes(b"left by a program that was killed")
        return
    path.unlink()
    if state == "folder":
        path.mkdir()
    elif state == "pipe":
        os.mkfifo(path)
    elif state != "missing":
        garbage = {"empty": b"", "text": b"no ledger\n" * 1000}
        path.write_bytes(garbage.get(state, content[:4096] + b"\xff" * (len(content) - 4096)))


@pytest.mark.damages
@pytest.mark.parametrize(
    "state",
    [
        *("missing", "folder", "empty", "text", "damaged", "newer", "older", "interrupted"),
        pytest.param("pipe", marks=pytest.mark.skipif(os.name != "posix", reason="no such pipes")),
    ],
)
def test_a_ledger_that_cannot_be_read_completes_nothing(
    october: Shell,
    complete: Any,  # noqa: ANN401
    state: str,
) -> None:
    """Without a message, and nothing is created or changed; what needs no ledger still works."""
    _spoil(october.ledger, state)
    before = _files(october.folder)
    for typed in ("sessions show ", "earnings --month ", "requests list --skill "):
        assert complete(october, typed) == {}
    assert "ended" in complete(october, "sessions list --state ")
    assert _files(october.folder) == before


def test_a_locked_ledger_completes_nothing_at_once(october: Shell, complete: Any) -> None:  # noqa: ANN401
    """It does not wait for the other program."""
    for _ in _locked(october.ledger):
        assert complete(october, "sessions show ") == {}
    assert complete(october, "sessions show ")


def test_completing_leaves_no_file_behind(october: Shell, complete: Any) -> None:  # noqa: ANN401
    """Not even the files that a reader of a ledger in WAL mode needs."""
    before = _files(october.folder)
    assert complete(october, "sessions show ")
    assert _files(october.folder) == before


def _files(folder: Path) -> dict[str, bytes | None]:
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


# --- every option ---------------------------------------------------------------------------------

FILES = {"TyperPath"}
FREE = {
    # Texts, names and ids of the user's or the platform's choice.
    *("--reason", "--id", "--key", "--name", "--title", "--description", "--note", "--summary"),
    *("--text", "--speaker", "--reference", "--source", "--head", "--exec", "--role", "words"),
    *("--payee", "--platform"),
    *("--verification", "--add-skill", "--add-language", "--recipient", "--open", "more"),
    # Amounts, times, lengths and numbers.
    *("--amount", "--rate", "--min-rate", "--minimum-rate", "--direct-rate", "--billed", "amount"),
    *("--fee", "--received", "--debited"),
    *("tip_amount", "sent", "--at", "--as-known", "--since", "--start", "--end", "--pause", "when"),
    *("--on", "--expires", "--within", "--longer-than", "--days", "--minutes", "--limit"),
    *("--alarm", "--batch", "--interval", "--largest", "--slot", "--experience-years"),
    *("--buffer-before", "--buffer-after", "--attachment-limit", "before", "after"),
    # Small languages.
    *("--hours", "--recurring", "--except", "--vacation", "--auto-decline", "--keep"),
    # The payout profile: the person's own.
    *("--email", "--country", "--line", "--city", "--district", "--region", "--postal-code"),
    *("--sorting-code", "--paypal", "--iban", "--us-routing", "--us-account", "--tax-number"),
    *("--tax-signed", "--tax-expires"),
    # Files, named by texts since `-` is standard input: the shell completes them.
    *("file", "feed", "feeds"),
}
FREE_IN = {
    ("requests accept", "--session"),  # The id of a session to come.
    ("payout record", "--method"),  # As the platform calls it.
    ("payout reconcile", "--payer"),  # A name in the user's own files.
    ("payout profile set", "--from"),  # A file, or `-`.
}


def _commands(group: Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name in group.commands:
        command = group.load_command(name)
        if isinstance(command, Group):
            yield from _commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


def test_every_value_is_completed_or_free() -> None:
    """A new option with a few values needs a completer; a free one is named in the list."""
    root = get_command(app)
    assert isinstance(root, Group)
    unused, lacking = set(FREE) | FREE_IN, set()
    for words, command in _commands(root):
        for parameter in command.params:
            if getattr(parameter, "is_flag", False) or type(parameter.type).__name__ in FILES:
                continue
            name, own = parameter.opts[0], (words, parameter.opts[0])
            if parameter._custom_shell_complete:  # noqa: SLF001 -- Typer has no public name.
                continue
            if not {name, own} & (FREE | FREE_IN):
                lacking.add(own)
            unused -= {name, own}
    assert lacking == set()
    assert unused == set()


# --- the cost -------------------------------------------------------------------------------------

KINDS = {
    "request": ((), ("open",)),
    "session": ((), ("upcoming",), ("live", "paused"), ("ended",)),
    "claim": ((), ("open",), ("disputed",)),
    "payout": ((), ("sent",)),
    "customer": ((),),
    "adjustment": ((),),
}


def _multiply(path: Path, number: int) -> None:
    """Add so many entities of each kind, which are copies of the first."""
    connection = sqlite3.connect(path)
    for kind in KINDS:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({kind})")]
        columns = ", ".join(f'"{name}"' for name in names)
        values = ", ".join("'X-' || n" if name == "id" else f'"{name}"' for name in names)
        numbers = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number"
        source = f"FROM number, (SELECT * FROM {kind} ORDER BY rowid LIMIT 1)"  # noqa: S608
        insert = f"INSERT INTO {kind} ({columns}) SELECT {values} {source}"
        connection.execute(f"{numbers} WHERE n < {number}) {insert}")
    connection.commit()
    connection.close()


@pytest.mark.damages
def test_the_work_does_not_grow_with_the_ledger(tmp_path: Path) -> None:
    """Whatever is asked: an index is followed, or only the newest are looked at."""
    few = make_ledger(tmp_path, feed(3))
    many = tmp_path / "many.db"
    shutil.copyfile(few, many)
    _multiply(few, 10_000)
    _multiply(many, 30_000)
    for kind, states in KINDS.items():
        for allowed in states:
            for prefix in ("", "X", "X-7"):
                steps = [_steps(path, kind, allowed, prefix) for path in (few, many)]
                assert steps[1] <= steps[0] + 3, (kind, allowed, prefix, steps)


def _steps(path: Path, kind: str, states: tuple[str, ...], prefix: str) -> int:
    """Return the hundreds of steps that the engine takes."""
    with watch_engine() as effort, open_untouched(path) as reader:
        assert len(suggestions.entities(reader, kind, states, prefix)) <= suggestions.MOST
    return effort.hundreds


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "sessions show ",
        "requests accept ",
        "refunds concede ",
        "payout show ",
        "earnings --month ",
        "requests list --fields id,",
        "requests list --timezone Eu",
        "sessions list --state ",
    ],
)
def test_completing_imports_little(states: Shell, typed: str) -> None:
    """No more than a read does: no models, no rich, nothing that a write needs in a read."""
    ran = subprocess.run(
        [sys.executable, "-c", PROBE.replace('name.partition(".")[0] for name', "name for name")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=states.folder,
        env=states.environment(
            _LIVEPORTAL_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS=f"liveportal {typed}"
        ),
        timeout=60,
        check=True,
    )
    names = set(json.loads(ran.stderr.splitlines()[-1]))
    ours = {name.removeprefix("liveportal.") for name in names if name.startswith("liveportal.")}
    assert ran.stdout.startswith(b"local -a completions")
    assert {name.partition(".")[0] for name in names} & (SLOW - {"platformdirs"}) == set()
    # The module of a write has its sentences, too, and that of an accept reads calendars.
    assert len(ours) <= OWN["sessions upcoming --json"][0] + 8, sorted(ours)
    assert not [name for name in ours if name.startswith((*HEAVY, "ledger.journal"))]
