"""Hostile input takes bounded memory and time: endless, huge, or no file at all.

Memory is limited by the system, in a process of its own; time by sizes for which a reader of
quadratic cost would take more than a day.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liveportal.domain.errors import InvalidEvent, NotACalendar
from liveportal.exports.calendar import write_calendar
from liveportal.feeds import jsonl
from liveportal.feeds.transcripts import records
from tests.commands.test_sync import feed, opened
from tests.kit.shell import Ran, Shell, assert_no_traceback

if sys.platform == "win32":
    pytest.skip("needs limits and devices of Unix", allow_module_level=True)

import resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.slow

MEGABYTE = 1024 * 1024
MEMORY = 600 * MEGABYTE
"""Of addresses, which are more than what is used: the program with all its libraries has 300."""

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from liveportal.cli.main import main
sys.exit(main(sys.argv[2:]))
"""
MANY = 300_000


def limited(shell: Shell, *argv: object, stdin: Iterable[bytes] = ()) -> Ran:
    """Run the program with limited memory; its input may be endless."""
    with subprocess.Popen(
        [sys.executable, "-c", LIMITED, str(MEMORY), *map(str, argv)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=shell.folder,
        env=shell.environment(),
    ) as running:
        writer = threading.Thread(target=_written, args=(running, stdin))
        writer.start()
        assert running.stdout
        assert running.stderr
        out, err = running.stdout.read(), running.stderr.read()
        code = running.wait(120)
        writer.join()
    assert_no_traceback(err.decode())
    assert b"MemoryError" not in err
    assert b"not enough memory" not in err
    return Ran(code, out.decode(), err.decode())


@contextmanager
def little_memory() -> Iterator[None]:
    """Give this process half of `MEMORY` more than it has, where the system can say how much."""
    used = Path("/proc/self/statm")
    before = resource.getrlimit(resource.RLIMIT_AS)
    if used.exists():
        pages = int(used.read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY // 2
        resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _written(running: subprocess.Popen[bytes], content: Iterable[bytes]) -> None:
    assert running.stdin
    try:
        for piece in content:
            running.stdin.write(piece)
        running.stdin.close()
    except BrokenPipeError:
        pass  # It has seen enough.


def _long(number: int, size: int) -> bytes:
    return opened(f"R-{number}", "10-05 09:00", customer={"id": "C-1"}, title="x" * size)


# --- memory ---------------------------------------------------------------------------------------


def test_the_limit_is_felt(empty: Shell) -> None:
    """Exceeding the limit stops the process: so the tests below can fail."""
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            LIMITED.replace("from liveportal", f"x = b'x' * {MEMORY}\nfrom liveportal"),
            str(MEMORY),
        ],
        capture_output=True,
        env=empty.environment(),
        check=False,
    )
    assert b"MemoryError" in ran.stderr


def test_a_feed_of_long_lines_is_read_in_pieces(empty: Shell) -> None:
    """Hundreds of megabytes in long lines pass through a bounded memory."""
    count = 24
    lines = (_long(number, 8 * MEGABYTE) for number in range(count))
    ran = limited(empty, "sync", "-", "--json", stdin=lines)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["recorded"] == count


def test_a_line_that_is_too_long_is_refused_before_its_end(empty: Shell) -> None:
    """A line of 100 MB, and one that has no end: refused by number, and nothing is recorded."""
    before = empty.dump()
    good = opened("R-1", "10-05 09:00", customer={"id": "C-1"})
    ran = limited(empty, "sync", "-", "--json", stdin=[good, b"x" * (100 * MEGABYTE), b"\n"])
    assert ran.code == 1
    assert json.loads(ran.err)["error"]["details"]["line"] == 2
    for endless in ("/dev/zero", "/dev/urandom"):
        ran = limited(empty, "sync", endless, "--json")
        assert (ran.code, json.loads(ran.err)["error"]["code"]) == (1, "invalid_event")
    assert empty.dump() == before


def test_a_line_that_is_too_long_is_rejected_and_the_feed_goes_on(empty: Shell) -> None:
    """With --rejects a line of 100 MB is one bad line among good ones; only its start is kept."""
    good = [opened(f"R-{n}", "10-05 09:00", customer={"id": "C-1"}) for n in (1, 2)]
    stdin = [good[0], b"x" * (100 * MEGABYTE), b"\n", good[1]]
    ran = limited(empty, "sync", "-", "--rejects", "bad.jsonl", stdin=stdin)
    assert ran.code == 1
    bad = json.loads((empty.folder / "bad.jsonl").read_text())
    assert (bad["line"], len(bad["raw"])) == (2, 1024)
    assert len(empty.ok("requests", "list", "--all")) == 2


@pytest.mark.parametrize(
    "argv",
    [
        "requests accept -",
        "dispute file CL-2 --summary -",
        "preferences import -",
        "payout profile set --from -",
    ],
)
def test_standard_input_without_an_end_is_refused(states: Shell, argv: str) -> None:
    """Ids, a text, a file: standard input has a maximum length."""
    before = states.dump()

    def endless() -> Iterable[bytes]:
        while True:
            yield b"x" * MEGABYTE

    ran = limited(states, *argv.split(), stdin=endless())
    assert ran.code == 1
    assert ran.err.startswith("error: ")
    assert states.dump() == before


@pytest.mark.parametrize(
    "argv",
    [
        "policy use /dev/zero --yes",
        "preferences import /dev/zero",
        "payout profile set --from /dev/zero",
        "ledger verify --statement /dev/zero",
        "dispute verify /dev/zero",
        "sessions attach S-1002 /dev/zero",
    ],
)
def test_a_file_without_an_end_is_refused(states: Shell, argv: str) -> None:
    """Every command that reads a file refuses one that does not end."""
    before = states.dump()
    with little_memory():
        ran = states.run(*argv.split())
    assert ran.code == 1, ran
    assert ran.err.startswith("error: ")
    assert "not enough memory" not in ran.err
    assert states.dump() == before


# --- time -----------------------------------------------------------------------------------------


def test_a_duplicate_name_among_many_is_found_in_linear_time() -> None:
    """The last of many names is a duplicate."""
    names = b",".join(b'"k%d":1' % number for number in range(MANY))
    with pytest.raises(InvalidEvent, match=f"k{MANY - 1} appears twice"):
        jsonl.parse(b'{%b,"k%d":1}' % (names, MANY - 1))


@pytest.mark.parametrize("argv", ["policy use x.toml --yes", "preferences import x.toml"])
@pytest.mark.parametrize(
    "content",
    ["a" + ".a" * MANY + " = 1", f"[a{'.a' * MANY}]", "x = " + "[" * MANY, "x = " + "{a=" * MANY],
    ids=["key", "table", "list", "inline"],
)
def test_toml_of_one_giant_key_is_refused(states: Shell, argv: str, content: str) -> None:
    """A key of many parts, and endless nesting."""
    states.file("x.toml", content)
    assert states.refuses(1, *argv.split())["code"] in ("invalid_policy", "invalid_value")


def test_dots_in_a_text_are_no_key(states: Shell) -> None:
    """What looks like a long key in a text or a remark is taken."""
    states.file("x.toml", f'# {"." * 99}\nrole = "{"a." * 99}" # {"x." * 99}\n')
    states.ok("preferences", "import", "x.toml")
    assert states.ok("preferences", "show")["role"] == "a." * 99


def test_components_within_components_of_a_calendar() -> None:
    """A file that only opens components."""
    content = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + b"BEGIN:X\r\n" * MANY
    with pytest.raises(NotACalendar, match="its end is missing"):
        write_calendar("book", [], content)


# --- what is no file ------------------------------------------------------------------------------

READERS = (
    ("sync", "{}"),
    ("policy", "use", "{}", "--yes"),
    ("preferences", "import", "{}"),
    ("payout", "profile", "set", "--from", "{}"),
    ("dispute", "verify", "{}"),
    ("ledger", "verify", "--statement", "{}"),
    ("sessions", "attach", "S-1002", "{}"),
)


@pytest.mark.parametrize("argv", READERS, ids=lambda argv: argv[0])
@pytest.mark.parametrize("what", ["folder", "loop", "closed", "broken", "long", "/proc/self/mem"])
def test_what_cannot_be_read_is_reported_as_such(
    states: Shell, argv: tuple[str, ...], what: str
) -> None:
    """A folder, a loop of links, a disk that fails while it is read: the input's fault, by name."""
    if what.startswith("/proc") and not os.path.exists(what):  # noqa: PTH110 -- Of whatever kind.
        pytest.skip("only Linux has a file that fails while it is read")
    (states.folder / "folder").mkdir()
    (states.folder / "loop").symlink_to("loop")
    (states.folder / "broken").symlink_to("nowhere")
    states.file("closed", "x").chmod(0)
    name = "x" * 5_000 if what == "long" else what
    if what == "closed" and os.access(states.folder / what, os.R_OK):
        pytest.skip("root reads everything")
    before = states.dump()
    ran = states.run(*(argument.format(name) for argument in argv))
    assert ran.code in (1, 3), ran
    assert ran.err.startswith("error: ")
    assert "written" not in ran.err
    assert_no_traceback(ran.err)
    assert states.dump() == before


def test_a_pipe_without_a_writer_is_no_evidence(states: Shell) -> None:
    """A pipe is never waited for where a file must be one."""
    os.mkfifo(states.folder / "pipe")
    for argv in (("sessions", "attach", "S-1002", "pipe"), ("dispute", "verify", "pipe")):
        assert states.refuses(1, *argv)["code"] in ("unreadable_file", "invalid_pack")


def test_a_feed_through_a_pipe_and_links(empty: Shell) -> None:
    """A named pipe and a link are feeds like any other."""
    os.mkfifo(empty.folder / "pipe")
    content = opened("R-1", "10-05 09:00", customer={"id": "C-1"})
    writer = threading.Thread(target=(empty.folder / "pipe").write_bytes, args=(content,))
    writer.start()
    assert empty.ok("sync", "pipe")["recorded"] == 1
    writer.join()
    path = feed(empty, "f.jsonl", content)
    (empty.folder / "link").symlink_to(path)
    assert empty.ok("sync", "link")["replayed"] == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "cp1252", "cp500"])
def test_a_feed_in_another_encoding_is_refused(empty: Shell, encoding: str) -> None:
    """A feed is UTF-8, with or without its mark; nothing is guessed, and nothing recorded."""
    line = opened("R-1", "10-05 09:00", customer={"id": "C-1"}).decode().replace("help", "café")
    if encoding == "cp1252":
        line = json.dumps(json.loads(line) | {"subject": "café"}, ensure_ascii=False)
    before = empty.dump()
    empty.refuses(1, "sync", empty.file("f.jsonl", line.encode(encoding)))
    assert empty.dump() == before


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\n\n \n"])
def test_a_feed_with_other_ends_of_lines(empty: Shell, end: bytes) -> None:
    """CRLF and blank lines are fine; a bare CR or U+2028 ends no line."""
    lines = [opened(f"R-{n}", "10-05 09:00", customer={"id": "C-1"}).strip() for n in (1, 2)]
    assert empty.ok("sync", empty.file("f.jsonl", end.join(lines)))["recorded"] == 2
    for bad in (b"\r", "\u2028".encode()):
        assert empty.run("sync", empty.file("bad.jsonl", bad.join(lines))).code == 1


def test_homoglyphs_are_no_ids(empty: Shell) -> None:
    """An id with look-alike letters is refused: ids are ASCII."""
    for name in ("R-\u0431", "\uff32-1", "R\u20101", "R-1\u200b", "R-\u0661"):
        empty.refuses(1, "sync", feed(empty, "f.jsonl", opened(name, "10-05 09:00")))


@pytest.mark.parametrize(
    "time",
    [
        *("0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2026-06-30T23:59:60Z"),
        *("2026-10-05T09:00:00+25:00", "2026-10-05T09:00:00-24:00", "2026-10-05T24:00:01Z"),
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2026-10-05T09:00:00"),
    ],
)
def test_times_that_there_are_not(empty: Shell, time: str) -> None:
    """Outside of the calendar, a leap second, an offset of more than a day: refused by field."""
    line = json.loads(opened("R-1", "10-05 09:00", customer={"id": "C-1"})) | {"time": time}
    error = empty.refuses(1, "sync", empty.file("f.jsonl", json.dumps(line)))
    assert error["details"]["field"] == "time"


@pytest.mark.parametrize(
    "number", ["-99999999999", "99999999999", "-1e12", "9999999999999", "1e400"]
)
def test_a_message_of_another_age(number: str) -> None:
    """A time of a transcript that no calendar has is not known; it is no error."""
    (message,) = records.read_messages([f'{{"time": {number}, "text": "hello"}}'])
    assert message.text == "hello"


def test_a_feed_that_is_packed_is_refused(empty: Shell) -> None:
    """Gzip bytes are no feed: the error says so, and nothing is unpacked."""
    content = gzip.compress(opened("R-1", "10-05 09:00", customer={"id": "C-1"}) * 100)
    error = empty.refuses(1, "sync", empty.file("f.jsonl.gz", content))
    assert error["code"] == "invalid_event"


def test_a_feed_that_is_still_being_written(empty: Shell) -> None:
    """A partial last line refuses the whole feed; the finished feed is recorded."""
    lines = [opened(f"R-{n}", "10-05 09:00", customer={"id": "C-1"}) for n in (1, 2)]
    path = feed(empty, "f.jsonl", lines[0], lines[1][:-20])
    assert empty.refuses(1, "sync", path)["details"]["line"] == 2
    feed(empty, "f.jsonl", *lines)
    assert empty.ok("sync", path)["recorded"] == 2
