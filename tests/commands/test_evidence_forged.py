"""Packs forged with this program's own writer, and honest ones: verification tells them apart.

A forger who has the program can change anything in a pack and seal it again, so that it agrees with
its new seal. Compared with the ledger, every such change is detected.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from liveportal.cli.commands.disputes.evidence import transcript_reader
from liveportal.domain.case import Case, CaseMessage
from liveportal.domain.money import Money
from liveportal.exports import evidence
from liveportal.exports.exhibits import ExhibitRules
from liveportal.exports.pack import PackEntry, write_pack
from liveportal.exports.pages import CURRENT, PAGES, Page, case_redactor
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.case import case as case_of
from tests.commands.conftest import Prepare
from tests.commands.test_evidence_pack import CHECK, PACK, manifest, unpack
from tests.commands.test_sync import feed
from tests.kit.events import amount, at, line
from tests.kit.shell import Shell, error_of

pytestmark = pytest.mark.slow

NOW = at("12-01 00:00")
OWN = ("manifest.json", "manifest.sha256")


@pytest.fixture
def disputed(proved: Shell, prepared: Prepare) -> Shell:
    """Give a shell whose claim has a transcript, files, a review and a dispute, and its pack."""
    return prepared("disputed", proved, _dispute)


def _dispute(proved: Shell) -> None:
    review = line(
        *("review.posted", "11-20 12:00"),
        id="r-9",
        session="S-1003",
        by="customer",
        rating=2,
        text="so so",
    )
    proved.ok("sync", feed(proved, "review.jsonl", review))
    proved.ok("dispute", "file", "CL-2", "--summary", "Fixed at 14:17.")
    proved.ok(*PACK)


def seal(shell: Shell, parts: list[PackEntry], about: dict[str, Any]) -> None:
    """Write a pack as the program does."""
    with (shell.folder / "pack.zip").open("wb") as stream:
        write_pack(stream, parts, about)


def parts_of(shell: Shell) -> tuple[list[PackEntry], dict[str, Any]]:
    """Return the entries of the pack and its manifest."""
    document = manifest(shell)
    contents = unpack(shell)
    parts = [
        PackEntry(
            *(item["file"], contents[item["file"]], item["shows"], item["media_type"]),
            item.get("original_sha256"),
        )
        for item in document.pop("items")
    ]
    del document["format"]
    return parts, document


def mismatches(shell: Shell, *argv: object) -> list[dict[str, str]]:
    """Return the problems of the pack: it agrees with its seal, but not with the ledger."""
    monkey = shell.folder / "nowhere.db"
    alone = shell.script(f"LIVEPORTAL_LEDGER={monkey} liveportal dispute verify pack.zip --json")
    assert alone.code == 0, alone
    return refused(shell, *argv)


def refused(shell: Shell, *argv: object) -> list[dict[str, str]]:
    """Return the entries of the pack that are not the ledger's."""
    ran = shell.run(*CHECK, "--ledger", shell.ledger, "--json", *argv)
    assert (ran.code, ran.out) == (6, "")
    error = error_of(ran.err)
    assert error["code"] == "pack_changed"
    problems: list[dict[str, str]] = error["details"]["problems"]
    return problems


@contextmanager
def ledger_case(shell: Shell) -> Iterator[Case]:
    """Give the case as the ledger has it."""
    with open_readonly(shell.ledger) as reader:
        yield case_of(reader, "CL-2", NOW)


def write(shell: Shell, made: Case, page: Page = CURRENT, **options: Any) -> None:  # noqa: ANN401
    """Write the pack of a case, with everything that follows from it."""
    given: dict[str, Any] = {
        "largest": evidence.LARGEST_FILE,
        "reads": transcript_reader(made),
    } | options
    rules = ExhibitRules(page, **given)
    seal(shell, evidence.pack_entries(made, rules), evidence.manifest_fields(made, rules))


def verification(shell: Shell, *argv: object) -> Any:  # noqa: ANN401 -- True, or `partly`.
    """Return the result of verifying the pack against the ledger."""
    return shell.ok(*CHECK, "--ledger", shell.ledger, *argv)["in_ledger"]


# --- forged ---------------------------------------------------------------------------------------


def test_a_seal_alone_is_not_believed(disputed: Shell) -> None:
    """Rewritten with the program's own writer the pack agrees with its seal; the ledger knows."""
    parts, about = parts_of(disputed)
    names = {"transcript.txt", "index.html", "files/01-chat.txt"}
    forged = [
        replace(part, content=part.content.replace(b"fixed", b"broken"))
        if part.name in names and isinstance(part.content, bytes)
        else part
        for part in parts
    ]
    seal(disputed, forged, about)
    assert {row["file"] for row in mismatches(disputed)} == names


def test_every_fact_of_the_manifest_is_held(disputed: Shell) -> None:
    """Its own fields, those of every event, those of every item."""
    parts, about = parts_of(disputed)
    others = {"claim": "CL-1", "session": "S-1001", "page": 1, "largest": 7}
    forged = [about | {name: value} for name, value in others.items()]
    forged += [about | {"extra": "x"}, {n: v for n, v in about.items() if n != "largest"}]
    changed = {"events": about["ledger"]["events"] - 1, "head": "ab" * 32}
    forged += [about | {"ledger": about["ledger"] | {n: v}} for n, v in changed.items()]
    events = about["events"]
    for number in (0, len(events) // 2, len(events) - 1):
        event = events[number]
        for name, value in event.items():
            other = events[number - 1]["seq"] if name == "seq" else f"{value}x"
            altered = [*events[:number], event | {name: other}, *events[number + 1 :]]
            forged.append(about | {"events": altered})
        forged.append(about | {"events": events[:number] + events[number + 1 :]})
    forged += [about | {"events": events[::-1]}, about | {"events": [*events, events[0]]}]
    forged.append(about | {"events": [events[0] | {"note": "x"}, *events[1:]]})
    for variant in forged:
        seal(disputed, parts, variant)
        files = {problem["file"] for problem in refused(disputed)}
        assert "manifest.json" in files or variant["largest"] == 7, variant
    for name, value in (("shows", "A lie."), ("media_type", "text/x"), ("original_sha256", "0")):
        for number, part in enumerate(parts):
            altered = [*parts[:number], _with(part, name, value), *parts[number + 1 :]]
            seal(disputed, altered, about)
            (problem,) = refused(disputed)
            assert (problem["file"], part.name in problem["what"]) == ("manifest.json", True)


def test_every_file_and_line_is_held(disputed: Shell) -> None:
    """One letter of some lines of each text, one byte of any file, a file more or less."""
    parts, about = parts_of(disputed)
    for number, part in enumerate(parts):
        assert isinstance(part.content, bytes)
        lines = part.content.split(b"\n")
        some = range(number, len(lines), 5 if part.name == "index.md" else 29)
        altered = [[*lines[:n], lines[n] + b" ", *lines[n + 1 :]] for n in some]
        for variant in (*altered, lines[1:], [*lines, b"more"]):
            forged = replace(part, content=b"\n".join(variant))
            seal(disputed, [*parts[:number], forged, *parts[number + 1 :]], about)
            (problem,) = refused(disputed)
            assert problem["file"] == part.name
        seal(disputed, parts[:number] + parts[number + 1 :], about)
        assert refused(disputed) == [{"file": part.name, "what": "it is missing"}]
    for name in ("files/04-more.txt", "files/01-more.txt", "more.txt"):
        seal(disputed, [*parts, PackEntry(name, b"x", "More.")], about)
        assert refused(disputed) == [{"file": name, "what": "the ledger has no such file"}]


def _with(made: Any, name: str, value: object) -> Any:  # noqa: ANN401 -- Any value of ours.
    return replace(made, **{name: value})


def _forgeries(made: Case) -> Iterator[tuple[str, Case]]:
    """Yield a case with one change of each kind, and everything derived from it."""
    session = made.session
    for name, value in {
        "state": "rejected",
        "amount": Money(1, "USD"),
        "cost": Money(1, "USD"),
        "reason": "I am happy",
        "late": True,
        "summary": "I was wrong",
        "title": "Another title",
        "customer": "C-1",
        "customer_name": "Somebody Else",
        "zone": "Asia/Tokyo",
        "head": "ab" * 32,
        "journal_length": made.journal_length - 1,
        "messages": (),
    }.items():
        yield name, _with(made, name, value)
    assert session.start
    assert session.end
    for name, value in {
        "start": session.start - timedelta(minutes=1),
        "end": session.end + timedelta(minutes=1),
        "pauses": ((session.start, session.end),),
        "rate": Money(500, "USD"),
        "gross_minor": session.gross_minor + 1,
        "fee_minor": session.fee_minor + 1,
    }.items():
        yield f"session.{name}", replace(made, session=_with(session, name, value))
    first = made.messages[0]
    for output in (
        CaseMessage(first.offset, first.speaker, "It never worked"),
        CaseMessage(first.offset, "Ana", first.text),
        CaseMessage(timedelta(minutes=1), first.speaker, first.text),
    ):
        yield "message", replace(made, messages=(output, *made.messages[1:]))
    yield "messages", replace(made, messages=made.messages[1:])
    for number, kept in enumerate(made.kept):
        for name, value in {
            "name": "another.txt",
            "kind": "attachment" if kept.kind == "code" else "code",
            "media_type": "text/x-other",
            "time": NOW,
            "path": None,
        }.items():
            altered = [
                *made.kept[:number],
                _with(kept, name, value),
                *made.kept[number + 1 :],
            ]
            yield f"file.{name}", replace(made, kept=altered)
        yield "file gone", replace(made, kept=[*made.kept[:number], *made.kept[number + 1 :]])
    tip = {"amount": amount("5.00")}
    for number, event in enumerate(made.events):
        later = replace(event, time=event.time + timedelta(seconds=1))
        for other in (
            later,
            replace(event, kind="tip.received", data=tip),
        ):
            events = [*made.events[:number], other, *made.events[number + 1 :]]
            yield "event", replace(made, events=events)


def test_a_forged_case_is_found_whatever_follows_from_it(disputed: Shell, tmp_path: Path) -> None:
    """The forger's page, texts and manifest agree with each other, but not with the ledger."""
    other = tmp_path / "other"
    other.write_bytes(b"Ana: It never worked.\n")
    with ledger_case(disputed) as made:
        write(disputed, made)
        assert verification(disputed) is True
        kept = replace(made.kept[0], path=other, bytes=22, sha256="ab" * 32)
        forgeries = [*_forgeries(made), ("file", replace(made, kept=[kept, *made.kept[1:]]))]
        for what, forged in forgeries:
            write(disputed, forged)
            assert refused(disputed), what


def test_a_forged_redacted_pack_is_found(disputed: Shell) -> None:
    """With the names given again every byte is compared; without, the figures and lines."""
    argv = ("--keep", "Ana", "--name", "float4")
    with ledger_case(disputed) as made:
        redact = case_redactor(CURRENT, made, ("Ana",), ("float4",))
        write(disputed, made, redact=redact)
        assert verification(disputed, *argv) is True
        assert verification(disputed) == "partly"
        honest = (disputed.folder / "pack.zip").read_bytes()
        for what, forged in dict(_forgeries(made)).items():  # The last of each kind.
            write(disputed, forged, redact=redact)
            if (disputed.folder / "pack.zip").read_bytes() == honest:
                assert what in ("customer_name", "file.media_type"), "it shows in no byte"
                continue
            assert refused(disputed, *argv), what
            assert refused(disputed), f"{what}, without the names"
        write(disputed, made, redact=redact)
        parts, about = parts_of(disputed)
        for number, part in enumerate(parts):
            for name, value in (("shows", "x"), ("media_type", "x/y"), ("original_sha256", "ab")):
                altered = [*parts[:number], _with(part, name, value), *parts[number + 1 :]]
                seal(disputed, altered, about)
                assert refused(disputed), (part.name, name)


# --- honest ---------------------------------------------------------------------------------------


@pytest.mark.damages
def test_later_facts_fail_no_honest_pack(disputed: Shell) -> None:
    """A decision, a correction, another policy, files that came later: it was so then."""
    names = ("--keep", "Ana")
    disputed.ok(*PACK[:3], "-o", "black.zip", "--redact", *names)
    black = ("dispute", "verify", "black.zip", "--ledger", disputed.ledger, *names)
    recording = line(
        *("artifact.added", "10-20 19:00"),
        id="r-1",
        session="S-1003",
        kind="recording",
        name="call.mp4",
        bytes=4,
        sha256="ab" * 32,
    )
    later = disputed.file("in/later.txt", "Zoë: one more thing")
    for step in (
        ("dispute", "rule", "CL-2", "--accepted"),
        ("sync", feed(disputed, "r.jsonl", recording)),
        ("sessions", "attach", "S-1003", later, "--kind", "transcript"),
        ("sessions", "tip", "S-1003", "1.00"),
        ("sessions", "correct", "S-1003", "--billed", "1.00", "--reason", "wrong"),
        ("policy", "use", "own.toml", "--yes"),
        ("preferences", "set", "--zone", "Asia/Tokyo"),
    ):
        disputed.ok(*step)
        assert verification(disputed) is True, step
        assert disputed.ok(*black)["in_ledger"] is True, step
    for file in disputed.folder.glob("ledger.db.vault/*/*"):
        file.chmod(0o600)
        file.unlink()
    assert verification(disputed) is True, "the journal has the hashes of whole files"
    assert disputed.ok(*black)["in_ledger"] == "partly"


def test_a_file_that_came_into_the_vault_later_was_not_there(states: Shell) -> None:
    """A file that was reported and attached after the pack was made fails no pack."""
    content = b"Mina: hello"
    path = states.file("chat.txt", content)
    from hashlib import sha256

    told_of = line(
        *("artifact.added", "10-20 19:00"),
        id="r-1",
        session="S-1003",
        kind="transcript",
        name="chat.txt",
        bytes=len(content),
        sha256=sha256(content).hexdigest(),
    )
    states.ok("sync", feed(states, "recording.jsonl", told_of))
    states.ok(*PACK)
    states.ok("sessions", "attach", "S-1003", path, "--kind", "transcript")
    assert verification(states) is True
    states.ok(*PACK)
    assert verification(states) is True
    with ledger_case(states) as made:
        write(states, replace(made, kept=[replace(made.kept[0], path=None)]))
    assert refused(states), "it was attached by then"


@pytest.mark.parametrize("number", PAGES)
def test_packs_of_every_page_format_are_held(disputed: Shell, number: int) -> None:
    """Those that older versions wrote, whole and redacted, with any --largest."""
    page = PAGES[number]
    with ledger_case(disputed) as made:
        for largest in (evidence.LARGEST_FILE, 30, 0):
            for redact in (None, case_redactor(page, made, ("Ana",), ())):
                write(disputed, made, page, largest=largest, redact=redact)
                assert ("page" in manifest(disputed)) is (number > 1)
                assert verification(disputed, *(("--keep", "Ana") if redact else ())) is True
                parts, about = parts_of(disputed)
                seal(disputed, [replace(part, content=b"x") for part in parts], about)
                problems = refused(disputed, *(("--keep", "Ana") if redact else ()))
                assert {part.name for part in parts} <= {problem["file"] for problem in problems}


def test_a_page_format_of_a_later_version_is_not_compared(disputed: Shell) -> None:
    """Its texts are listed; facts and whole files are compared nevertheless."""
    parts, about = parts_of(disputed)
    seal(disputed, parts, about | {"page": 99})
    answer = disputed.ok(*CHECK, "--ledger", disputed.ledger)
    assert answer["in_ledger"] == "partly"
    assert "page format 99" in answer["not_compared"][0]["why"]
    forged = [replace(part, content=b"x") if part.name[:5] == "files" else part for part in parts]
    seal(disputed, forged, about | {"page": 99})
    assert len(refused(disputed)) == 3
    events = [event | {"time": "2026-01-01T00:00:00Z"} for event in about["events"]]
    seal(disputed, parts, about | {"page": 99, "events": events})
    assert refused(disputed)


def test_what_was_forgotten_is_named_as_not_compared(disputed: Shell) -> None:
    """Erased words cannot be compared; figures, times and files are."""
    with ledger_case(disputed) as made:
        customer = made.customer
        disputed.ok("ledger", "forget", customer, "--yes")
        answer = disputed.ok(*CHECK, "--ledger", disputed.ledger)
        assert answer["in_ledger"] == "partly"
        files = {row["file"] for row in answer["not_compared"]}
        assert files == {"index.html", "index.md", "transcript.txt"}
        assert all("forgotten" in row["why"] for row in answer["not_compared"])
        wrong = [
            ("amount", replace(made, amount=Money(1, "USD"))),
            *(
                forgery
                for forgery in _forgeries(made)
                if forgery[0].startswith(("session.", "state"))
            ),
        ]
        for what, forged in wrong:
            seal_words(disputed, forged, what)
            assert refused(disputed), what


def seal_words(shell: Shell, forged: Case, what: str) -> None:
    """Write the pack of a case whose files are gone from the vault."""
    parts, _ = parts_of(shell)
    files = {part.name: part for part in parts if part.name.startswith("files/")}
    folder = shell.folder / "gone"
    folder.mkdir(exist_ok=True)
    kept = []
    for number, file in enumerate(forged.kept, 1):
        (name,) = (name for name in files if name.startswith(f"files/{number:02d}-"))
        content = files[name].content
        assert isinstance(content, bytes), what
        path = folder / str(number)
        path.write_bytes(content)
        kept.append(replace(file, path=path))
    write(shell, replace(forged, kept=kept))


def test_a_pack_of_after_the_forgetting_is_true(disputed: Shell) -> None:
    """It never had the words, so everything can be compared."""
    with ledger_case(disputed) as made:
        customer = made.customer
    disputed.ok("ledger", "forget", customer, "--yes")
    disputed.ok(*PACK)
    assert verification(disputed) is True


def test_the_seal_is_shown_when_a_pack_is_made(disputed: Shell) -> None:
    """In every format; on a terminal with a sentence on its purpose."""
    made = disputed.ok(*PACK)
    assert made["seal"] == json.loads(disputed.run(*CHECK, "--json").out)["seal"]
    ran = disputed.run(*PACK, terminal=True)
    assert made["seal"] in ran.out.replace("\n", "")
    assert "separately from the pack" in ran.err
    alone = disputed.run(*CHECK, terminal=True)
    assert "Nothing was changed" not in alone.out
    with sqlite3.connect(disputed.ledger) as db:  # None of this recorded an event.
        assert db.execute("SELECT count(*) FROM event").fetchone()[0] == made["events"]
