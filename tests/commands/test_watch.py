"""`requests watch`: real processes follow real files while others write to them."""

from __future__ import annotations

import json
import os
import sys

import pytest

from liveportal.cli.commands.requests.watch import WatchedRequest
from liveportal.feeds import following, jsonl
from tests.commands.test_sync import feed
from tests.kit.events import amount, line
from tests.kit.shell import Shell, error_of
from tests.kit.watch_process import QUICK, RULES, add, request_line, watching

if sys.platform == "win32":
    pytest.skip("waits for pipes as Unix does", allow_module_level=True)

pytestmark = pytest.mark.slow

HOOK = """
import json, os, sys
row = json.load(sys.stdin)
with open("ran", "a") as ran:
    words = [os.environ["LIVEPORTAL_REQUEST"], row["id"], row["title"], sys.argv[1:]]
    ran.write(json.dumps(words) + "\\n")
print("said by the hook")
sys.exit(3 if row["id"] == "BAD" else 0)
"""

WAITING_HOOK = """
import os, time
os.close(1)
os.close(2)
while not os.path.exists("go"):
    time.sleep(0.02)
open("done", "w").close()
"""


# --- a file that grows ----------------------------------------------------------------------------


def test_a_file_is_followed_as_it_grows(empty: Shell) -> None:
    """Existing and new lines are recorded and shown at once; Ctrl-C ends it, quietly."""
    path = feed(empty, "feed.jsonl", request_line("A"))
    with watching(empty, path, *QUICK) as watch:
        watch.shows("A")
        for name in ("B", "C"):
            add(path, request_line(name))
            watch.shows("A", *"BC"[: "BC".index(name) + 1])
        code, out, err = watch.ends(interrupted=True)
    assert (code, err) == (0, "")
    rows = [text.split("\t") for text in out.splitlines()]
    assert [row[:3] for row in rows] == [[name, "instant", "open"] for name in "ABC"]
    assert len({len(row) for row in rows}) == 1
    assert [row["id"] for row in empty.ok("requests", "list", "--all")] == ["A", "B", "C"]
    assert empty.ok("ledger", "verify")["ok"] is True


def test_a_line_counts_when_it_has_its_end(empty: Shell) -> None:
    """Half a line waits for the rest, byte by byte, with either line's end."""
    path = feed(empty, "feed.jsonl")
    with watching(empty, path, *QUICK) as watch:
        whole = request_line("A", title="Zoë 🎮").rstrip(b"\n") + b"\r\n"
        add(path, whole[:-1])
        watch.shows_no_more()
        assert watch.ids() == []
        add(path, whole[-1:])
        watch.shows("A")
        for position in range(0, len(whole), 7):
            add(path, request_line("B")[position : position + 7])
        watch.shows("A", "B")


def test_what_was_recorded_is_not_shown_again(empty: Shell) -> None:
    """A replay is skipped, and so is what another source reported before."""
    path = feed(empty, "feed.jsonl", request_line("A"), request_line("B"))
    empty.ok("sync", path)
    same = line(
        "request.opened",
        "10-05 09:00",
        id="other",
        source="https://other.example",
        request="A",
        kind="instant",
        customer={"id": "C-1"},
        title="help",
        rate=amount("3.00"),
    )
    add(path, same, request_line("C"))
    ran = empty.run("requests", "watch", path, "--once", "--field", "id")
    assert (ran.code, ran.out, ran.err) == (0, "C\n", "")


def test_a_file_that_is_replaced_or_cut_is_read_again(empty: Shell) -> None:
    """Another file in its place, or less in it than was read: again from the start."""
    path = feed(empty, "feed.jsonl", request_line("A"), b'{"half": ')
    with watching(empty, path, *QUICK) as watch:
        watch.shows("A")
        feed(empty, "new.jsonl", request_line("A"), request_line("B")).replace(path)
        watch.shows("A", "B")
        add(path, request_line("C"))
        watch.shows("A", "B", "C")
        path.write_bytes(request_line("D"))
        watch.shows("A", "B", "C", "D")
        path.unlink()
        watch.shows_no_more()
        path.write_bytes(request_line("E"))
        watch.shows("A", "B", "C", "D", "E")
        # The lines are counted from the start of the file that is there now.
        add(path, b"\n", b"junk\n")
        code, _, err = watch.ends()
    assert code == 1
    assert err.startswith("error: Line 3")


def test_once_stops_at_the_present_end(empty: Shell) -> None:
    """--once is for scripts: also --json, also a file; the end of the file ends its last line."""
    path = feed(empty, "feed.jsonl", request_line("A"), request_line("B").rstrip(b"\n"))
    assert [row["id"] for row in empty.ok("requests", "watch", path, "--once")] == ["A", "B"]
    assert empty.ok("requests", "watch", path, "--once") == []
    add(path, b"\n", request_line("C"))
    assert empty.output_of("requests", "watch", path, "--once", "--csv", "-o", "out.csv") == ""
    written = (empty.folder / "out.csv").read_text().splitlines()
    assert [text.split(",")[0] for text in written] == ["id", "C"]


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read(empty: Shell, name: str) -> None:
    """A missing feed or a folder is reported as by `sync`."""
    error = empty.refuses(1, "requests", "watch", name, "--once")
    assert (error["code"], error["details"]["path"]) == ("unreadable_file", name)


@pytest.mark.parametrize(
    "argv",
    [
        ("--json",),
        ("--output", "out.csv", "--csv"),
        ("--exec", "'"),
        ("--exec", "  "),
        ("--interval", "0"),
        ("--interval", "nan"),
    ],
)
def test_what_has_no_end_has_no_array(empty: Shell, argv: tuple[str, ...]) -> None:
    """One array, a file that appears when it is whole: neither goes with a watch without end."""
    path = feed(empty, "feed.jsonl", request_line("A"))
    before = empty.dump()
    ran = empty.run("requests", "watch", path, *argv)
    assert (ran.code, ran.out) == (2, "")
    assert argv[0] in ran.err
    assert "--jsonl" in empty.run("requests", "watch", "-", "--json").err
    assert empty.dump() == before


# --- a stream -------------------------------------------------------------------------------------


def test_a_stream_is_shown_as_it_comes_and_ends_when_it_ends(empty: Shell) -> None:
    """Standard input, byte by byte: each line is recorded and shown before the next one comes."""
    with watching(empty, "-") as watch:
        for count, name in enumerate("AB", 1):
            for byte in request_line(name):
                watch.stdin.write(bytes([byte]))
                watch.stdin.flush()
            watch.shows(*"AB"[:count])
        watch.stdin.write(request_line("C").rstrip(b"\n"))
        watch.stdin.close()
        watch.running.stdin = None
        code, out, err = watch.ends()
    assert (code, err) == (0, "")
    assert [text.split("\t")[0] for text in out.splitlines()] == ["A", "B", "C"]


def test_json_lines_have_every_field(empty: Shell) -> None:
    """--jsonl: one object a line, with all fields of `requests list` and the reason."""
    empty.says(RULES)
    ran = empty.run(
        "requests", "watch", "-", "--jsonl", stdin=request_line("A") + request_line("B")
    )
    rows = [json.loads(text) for text in ran.out.splitlines()]
    assert [row["id"] for row in rows] == ["A", "B"]
    ran = empty.run("requests", "watch", "-", "-o", "-", "--field", "id", stdin=request_line("C"))
    assert (ran.code, ran.out) == (0, "C\n")
    (listed, *_) = empty.ok("requests", "list", "--all")
    first = [name for name in listed if name not in WatchedRequest.LATER]
    assert list(rows[0]) == [*first, "reason", *WatchedRequest.LATER]
    assert (rows[0]["minimum"], rows[0]["matches"], rows[0]["reason"]) == ("2.50", True, None)


def test_a_reader_that_left_ends_it_quietly(empty: Shell) -> None:
    """`| head -1` ends the watch although nothing more comes, of a file and of a stream."""
    feed(empty, "feed.jsonl", request_line("A"), request_line("B"))
    for command in (
        "watch feed.jsonl --interval 0.05",
        "watch - < <(cat feed.jsonl; sleep 60 2>&-)",
    ):
        (empty.ledger).unlink()
        assert empty.run("init").code == 0
        ran = empty.script(f"liveportal requests {command} | head -1 | cut -f1")
        assert (ran.code, ran.out, ran.err) == (0, "A\n", "")


def test_a_closed_input_is_reported(empty: Shell) -> None:
    """A closed standard input is malformed input, as ever."""
    ran = empty.script("liveportal requests watch - <&-")
    assert ran.code == 1
    assert "Standard input" in ran.err


def test_a_pipe_with_a_name_ends_when_it_ends(empty: Shell) -> None:
    """What is no file is read once: a process substitution, a device."""
    feed(empty, "feed.jsonl", request_line("A"))
    ran = empty.script("liveportal requests watch <(cat feed.jsonl) --field id")
    assert (ran.code, ran.out, ran.err) == (0, "A\n", "")
    assert empty.run("requests", "watch", os.devnull).code == 0


# --- bad lines ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        b"junk\n",
        b"\x00" * 5000 + b"\n",
        b"\xff\xfe\n",
        b'{"title": "' + b"x" * 10_000_000 + b'"}\n',
        b'{"\\ud800": 1}\n',
    ],
    ids=["junk", "NULs", "no UTF-8", "10 MB", "surrogate"],
)
def test_a_bad_line_stops_it_and_what_came_before_is_kept(empty: Shell, bad: bytes) -> None:
    """The contract's error names the line of the feed, however it came; nothing after it is."""
    path = feed(
        empty, "feed.jsonl", request_line("A"), b"\n", request_line("B"), bad, request_line("C")
    )
    ran = empty.run("requests", "watch", path, "--jsonl")
    assert ran.code == 1
    assert [json.loads(text)["id"] for text in ran.out.splitlines()] == ["A", "B"]
    error = error_of(ran.err)
    assert (error["code"], error["details"]["line"]) == ("invalid_event", 4)
    assert error["message"].startswith("Line 4")
    assert "recorded" in error["hint"]
    assert [row["id"] for row in empty.ok("requests", "list", "--all")] == ["A", "B"]
    # Once corrected, it goes on from there.
    path.write_bytes(path.read_bytes().replace(bad, request_line("D")))
    ran = empty.run("requests", "watch", path, "--once", "--field", "id")
    assert (ran.code, ran.out) == (0, "D\nC\n")


def test_of_a_line_that_is_too_long_only_the_beginning_is_kept(
    empty: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused by its length, wherever it was split; later line numbers are right."""
    for module in (following, jsonl):
        monkeypatch.setattr(module, "LONGEST_LINE", 1000)
    stdin = (
        request_line("A") + b"x" * 5000 + b"\n" + request_line("B", title="y" * 500) + b"z" * 1001
    )
    for size in (1, 99, 1000, 1001, 100_000):
        monkeypatch.setattr(following, "PART_BYTES", size)
        kept = empty.folder / f"bad-{size}"
        ran = empty.run("requests", "watch", "-", "--rejects", kept, stdin=stdin)
        assert ran.code == 1
        lines = [json.loads(text) for text in kept.read_text().splitlines()]
        assert [reject["line"] for reject in lines] == [2, 4]
        assert all("longer than 1000 bytes" in reject["error"]["message"] for reject in lines)
    assert [row["id"] for row in empty.ok("requests", "list", "--all")] == ["A", "B"]


def test_what_the_rules_refuse_has_its_own_code(empty: Shell) -> None:
    """Unknown entity 3, wrong state 4; the line is named in whichever chunk it came."""
    with watching(empty, "-") as watch:
        watch.stdin.write(request_line("A"))
        watch.stdin.flush()
        watch.shows("A")
        watch.stdin.write(
            request_line("B") + line("request.taken", "10-05 09:01", id="t", request="NO")
        )
        watch.stdin.flush()
        code, out, err = watch.ends()
    assert code == 3
    assert [text.split("\t")[0] for text in out.splitlines()] == ["A", "B"]
    assert err.startswith("error: Line 3: There is no request NO")


def test_rejects_are_added_as_they_come(empty: Shell) -> None:
    """--rejects goes on past bad lines; an interrupted watch has written them all."""
    path = feed(empty, "feed.jsonl", b"junk\n", request_line("A"))
    kept = empty.folder / "bad.jsonl"
    with watching(empty, path, *QUICK, "--rejects", kept) as watch:
        watch.shows("A")
        add(path, b'{"specversion": "1.0"}\n', request_line("B"))
        watch.shows("A", "B")
        lines = [json.loads(text) for text in kept.read_text().splitlines()]
        assert [reject["line"] for reject in lines] == [1, 3]
        assert watch.ends(interrupted=True)[0] == 0
    assert kept.stat().st_mode & 0o777 == 0o600
    ran = empty.run("requests", "watch", path, "--once", "--rejects", kept)
    assert (ran.code, ran.out) == (1, "")
    assert "2 lines were rejected" in ran.err
    assert len(kept.read_text().splitlines()) == 4


@pytest.mark.parametrize("name", ["ledger.db", "feed.jsonl", "link.jsonl", "no/bad.jsonl"])
def test_rejects_take_the_place_of_nothing(empty: Shell, name: str) -> None:
    """The ledger, the feed and link targets are not written."""
    path = feed(empty, "feed.jsonl", request_line("A"))
    (empty.folder / "link.jsonl").symlink_to(empty.folder / "elsewhere")
    before = empty.dump()
    ran = empty.run("requests", "watch", path, "--once", "--rejects", name)
    assert ran.code == 74
    assert empty.dump() == before
    assert not (empty.folder / "elsewhere").exists()


# --- what is shown --------------------------------------------------------------------------------


def test_only_what_is_still_open_is_shown(empty: Shell) -> None:
    """A request taken or lapsed by now is recorded, and no command is run for it."""
    taken = line("request.taken", "10-05 09:01", id="t", request="A")
    lapsed = request_line("B", expires="2026-10-05T09:10:00Z")
    ran = empty.run(
        "requests", "watch", "-", "--field", "id", stdin=request_line("A") + taken + lapsed
    )
    assert (ran.code, ran.out) == (0, "")
    assert [row["state"] for row in empty.ok("requests", "list", "--all")] == ["taken", "expired"]


def test_matching_ones_only(empty: Shell) -> None:
    """--matching leaves the others out; they are recorded all the same."""
    empty.says(RULES)
    lines = (
        request_line("A", skills=["urp"]),
        request_line("B", rate=amount("2.00")),
        request_line("C"),
    )
    ran = empty.run("requests", "watch", "-", "--matching", "--field", "id", stdin=b"".join(lines))
    assert ran.out == "A\nC\n"
    assert len(empty.ok("requests", "list", "--all")) == 3


@pytest.mark.parametrize("declines", [True, False])
def test_what_a_rule_declines_is_shown_as_declined(empty: Shell, declines: bool) -> None:
    """On where there are rules, off with --no-auto-decline; the reason is recorded and shown."""
    empty.says(RULES)
    stdin = request_line("A", rate=amount("1.00")) + request_line("B")
    more = () if declines else ("--no-auto-decline",)
    ran = empty.run("requests", "watch", "-", "--field", "id,state,reason", *more, stdin=stdin)
    shown = "A\tdeclined\ttoo cheap\n" if declines else "A\topen\t\n"
    assert (ran.code, ran.out) == (0, f"{shown}B\topen\t\n")
    history = empty.ok("requests", "show", "A")["history"]
    assert [entry["type"] for entry in history[1:]] == ["request.declined"] * declines


def test_a_rule_that_came_meanwhile_counts(empty: Shell) -> None:
    """Preferences are read for each chunk: a change in another shell applies at once."""
    path = feed(empty, "feed.jsonl", request_line("A", rate=amount("1.00")))
    with watching(empty, path, *QUICK, "--field", "id") as watch:
        watch.shows("A")
        empty.says(RULES)
        add(path, request_line("B", rate=amount("1.00")))
        watch.shows("A", "B")
    assert [row["state"] for row in empty.ok("requests", "list", "--all")] == ["open", "declined"]


def test_a_person_reads_a_line_each(empty: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line a request, cleaned and short; columns that were chosen are columns."""
    monkeypatch.setenv("TERM", "dumb")
    hostile = "\x1b]0;owned\x07\u202e" + "long " * 200_000 + "\ud800\x00"
    empty.says(RULES)
    stdin = request_line("A", title=hostile, skills=["urp", "\x1b[2J"]) + request_line("B")
    cheap = request_line("C", rate=amount("1.00"), customer={"id": "C-2", "name": "Zoë\x1b[31m"})
    ran = empty.run("requests", "watch", "-", stdin=stdin + cheap, terminal=True)
    first, second, third = ran.out.splitlines()
    assert first.startswith("A: instant; C-1: long long")
    assert first.endswith("…; 3.00 USD a minute; earns 126.00; asks for urp")
    assert second == "B: instant; C-1: help; 3.00 USD a minute; earns 126.00"
    assert third == "C: instant; Zoë: help; 1.00 USD a minute; declined: too cheap"
    assert "\x1b" not in ran.out
    assert "Ctrl-C" in ran.err
    chosen = empty.run(
        "requests", "watch", "-", "--field", "id", stdin=request_line("D"), terminal=True
    )
    assert chosen.out == "D\n"


def test_the_bell_rings_on_a_terminal_alone(empty: Shell) -> None:
    """By the preferences or an option; once a request, and never into a pipe."""
    bell = line("preferences.changed", "10-02 09:00", id="bell", notifications={"bell": True})

    def rung(name: str, *argv: str, terminal: bool = True) -> int:
        ran = empty.run(
            "requests", "watch", "-", *argv, stdin=request_line(name), terminal=terminal
        )
        assert ran.code == 0
        assert "\a" not in ran.out
        return ran.err.count("\a")

    assert rung("A") == 0
    assert rung("B", "--bell") == 1
    assert rung("C", "--bell", "--jsonl") == 1
    assert rung("D", "--bell", terminal=False) == 0
    empty.says(bell)
    assert rung("E") == 1
    assert rung("F", "--no-bell") == 0
    assert rung("G", terminal=False) == 0
    assert rung("G") == 0


# --- what is run ----------------------------------------------------------------------------------


def test_a_command_is_run_for_each(empty: Shell) -> None:
    """Without a shell: the request on stdin, its id in the environment, no untrusted text.

    Its output goes to standard error, its failure is reported, and the watch goes on.
    """
    hook = empty.file("hook.py", HOOK)
    title = "$(touch owned); `touch owned`\x00\ud800"
    empty.says(RULES)
    stdin = (
        request_line("A", title=title)
        + request_line("BAD")
        + request_line("NO", rate=amount("1.00"))
    )
    command = f"'{sys.executable}' {hook.name} '$HOME; touch owned' \"*\""
    ran = empty.process("requests", "watch", "-", "--field", "id", "--exec", command, stdin=stdin)
    assert (ran.code, ran.out) == (0, "A\nBAD\nNO\n")
    runs = [json.loads(text) for text in (empty.folder / "ran").read_text().splitlines()]
    words = ["$HOME; touch owned", "*"]
    assert runs == [["A", "A", title, words], ["BAD", "BAD", "help", words]]
    assert not (empty.folder / "owned").exists()
    assert ran.err.count("said by the hook") == 2
    assert ran.err.count("warning: ") == 1
    assert "ended with 3, for BAD" in ran.err


def test_nothing_waits_for_the_command_or_for_more(empty: Shell) -> None:
    """A header is out before the first request, and a request before its command has ended."""
    path = feed(empty, "feed.jsonl")
    empty.file("hook.py", WAITING_HOOK)
    slow = ("--exec", f"'{sys.executable}' hook.py")
    with watching(empty, path, *QUICK, "--tsv", "--header", "--field", "id", *slow) as watch:
        watch.shows("id")
        add(path, request_line("A"))
        watch.shows("id", "A")
        assert not (empty.folder / "done").exists()
        empty.file("go", "")


@pytest.mark.parametrize("command", ["./missing --now", "/", "./plain"])
def test_a_command_that_cannot_be_run_stops_nothing(empty: Shell, command: str) -> None:
    """The failure is reported for each request, and each request is shown."""
    empty.file("plain", "no program")
    ran = empty.process(
        *("requests", "watch", "-", "--field", "id", "--exec", command),
        stdin=request_line("A") + request_line("B"),
    )
    assert (ran.code, ran.out) == (0, "A\nB\n")
    assert ran.err.count(f"warning: {command.split(maxsplit=1)[0]} could not be run") == 2


def test_a_command_need_not_listen(empty: Shell) -> None:
    """A command that reads nothing of a long request has not failed."""
    stdin = request_line("A", title="x" * 1_000_000)
    ran = empty.process("requests", "watch", "-", "--field", "id", "--exec", "true", stdin=stdin)
    assert (ran.code, ran.out, ran.err) == (0, "A\n", "")
