"""A feed is recorded in its own order, all or nothing; batches and rejects relax that."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.errors import Conflict, InvalidEvent, LiveportalError, Refused, WrongState
from liveportal.feeds import jsonl
from liveportal.portal import Portal
from liveportal.services.sync import SyncResult
from tests.kit.books import Clock
from tests.kit.events import OTHER, amount, line
from tests.kit.ledger_files import contents, query, say


def opened(number: int, **data: Any) -> bytes:  # noqa: ANN401 (JSON)
    """Return the line that opens a request."""
    given: dict[str, Any] = {
        "request": f"R-{number}",
        "kind": "instant",
        "customer": {"id": f"C-{number % 3}"},
        "title": "help",
        "rate": amount("3.00"),
    }
    return line("request.opened", "10-05 08:00", id=f"e-{number}", **(given | data))


FEED = [opened(number) for number in range(1, 31)]


def sync(path: Path, feed: Sequence[bytes], *, dry_run: bool = False, **options: Any) -> SyncResult:  # noqa: ANN401
    """Record lines in a ledger file."""
    with Portal(path, dry_run=dry_run, now=Clock()) as portal:
        return portal.sync(io.BytesIO(b"".join(feed)), **options)


def counts(synced: SyncResult) -> tuple[int, int, int, int]:
    """Return the counts: recorded, replayed, confirmed and refused."""
    return synced.recorded, synced.replayed, synced.confirmed, synced.refused


def test_a_feed_and_again(ledger: Path) -> None:
    """Syncing again records nothing, and ends at the same head."""
    first = sync(ledger, FEED)
    assert counts(first) == (30, 0, 0, 0)
    ((last,),) = query(ledger, "SELECT hash FROM event ORDER BY seq DESC LIMIT 1")
    assert first.head == last.hex()
    before = contents(ledger)
    again = sync(ledger, FEED)
    assert (counts(again), again.head) == ((0, 30, 0, 0), first.head)
    assert contents(ledger) == before


@pytest.mark.parametrize("batch", [None, 5])
def test_an_empty_feed(ledger: Path, batch: int | None) -> None:
    """An empty feed is no failure; the head does not change."""
    assert counts(sync(ledger, [], batch=batch)) == (0, 0, 0, 0)
    assert sync(ledger, [b"\n", b"  \n"], batch=batch).head == sync(ledger, []).head


def test_a_changed_line_under_an_old_id(ledger: Path) -> None:
    """The conflict names line and field."""
    sync(ledger, FEED)
    changed = [*FEED[:4], opened(5, title="other"), *FEED[5:]]
    with pytest.raises(Conflict) as caught:
        sync(ledger, changed)
    assert caught.value.details["line"] == 5
    assert caught.value.fields == ["title"]
    assert caught.value.message.startswith("Line 5: ")


BAD: dict[str, tuple[bytes, type[LiveportalError]]] = {
    "not JSON": (b"\x89PNG\r\n", InvalidEvent),
    "unknown type": (
        line("request.opened", "10-05 08:00", id="x").replace(b"ned", b"x"),
        InvalidEvent,
    ),
    "wrong field": (opened(17, rate={"amount": 3, "currency": "USD"}), InvalidEvent),
    "refused": (line("session.ended", "10-05 09:00", id="x", session="S-9"), LiveportalError),
    "conflict": (opened(3, title="other"), Conflict),
}


@pytest.mark.parametrize("why", BAD)
def test_line_17_is_bad(ledger: Path, why: str) -> None:
    """A bad line 17: the error names line, field and reason, and nothing at all was recorded."""
    before = contents(ledger)
    bad, expected = BAD[why]
    with pytest.raises(expected) as caught:
        sync(ledger, [*FEED[:16], bad, *FEED[17:]])
    error = caught.value
    assert error.details["line"] == 17
    assert error.message.startswith("Line 17")
    if why == "wrong field":
        assert error.details["field"] == "rate"
        assert "rate" in error.message
        assert error.details["reason"]
    assert contents(ledger) == before


def test_lines_are_counted_with_the_blank_ones(ledger: Path) -> None:
    """The line is the one that an editor shows."""
    with pytest.raises(InvalidEvent) as caught:
        sync(ledger, [FEED[0], b"\n", b"\r\n", b"junk\n"])
    assert caught.value.details["line"] == 4


def test_a_feed_is_never_sorted(ledger: Path) -> None:
    """A step before its precondition is refused, whatever the times are."""
    accept = line("request.accepted", "10-05 09:00", id="a-1", request="R-1")
    with pytest.raises(LiveportalError):
        sync(ledger, [accept, FEED[0]])
    assert counts(sync(ledger, [FEED[0], accept])) == (2, 0, 0, 0)


def test_the_same_line_twice_in_one_feed(ledger: Path) -> None:
    """A replay inside the feed is a replay."""
    assert counts(sync(ledger, [FEED[0], FEED[0], FEED[1]])) == (2, 1, 0, 0)


def test_a_feed_that_reports_what_was_done_at_the_shell(ledger: Path) -> None:
    """It is confirmed, also if a mirror reports it in the same chunk as the feed."""
    accept = {"request": "R-1", "session": "S-1"}
    shell = line("request.accepted", "10-05 09:00", id="k", **accept)
    feed = line("request.accepted", "10-05 09:01", id="a-1", **accept)
    mirror = line("request.accepted", "10-05 09:02", id="a-1", source=OTHER, **accept)
    sync(ledger, [FEED[0]])
    say(ledger, shell)
    assert counts(sync(ledger, [feed, mirror])) == (0, 0, 2, 0)
    assert counts(sync(ledger, [feed, mirror])) == (0, 2, 0, 0)


@pytest.mark.parametrize("size", [1, 2, 7, 2_000])
def test_chunks_make_no_difference(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """However a feed is cut into chunks, the book is the same but for salts and hashes."""
    monkeypatch.setattr("liveportal.services.sync.CHUNK_LINES", size)
    feed = [*FEED, *STORY]
    assert counts(sync(ledger, feed)) == (len(feed), 0, 0, 0)
    assert counts(sync(ledger, feed)) == (0, len(feed), 0, 0)
    ((owed,),) = query(ledger, "SELECT sum(owed) FROM month_money")
    assert owed == 42_00


STORY = [
    line("request.accepted", "10-05 09:00", id="s-1", request="R-1", session="S-1"),
    line("session.ended", "10-05 09:20", id="s-2", session="S-1"),
    line("refund.claimed", "10-05 10:00", id="s-3", session="S-1", claim="CL-1"),
    line("dispute.filed", "10-05 11:00", id="s-4", claim="CL-1", summary="No."),
    line("dispute.accepted", "10-05 12:00", id="s-5", claim="CL-1"),
]


# --- batches --------------------------------------------------------------------------------------


def test_batches_commit_as_they_go(ledger: Path) -> None:
    """`--batch 10` commits every 10 lines: a bad line 25 leaves 20 recorded."""
    feed = [*FEED[:24], b"junk\n", *FEED[25:]]
    with pytest.raises(InvalidEvent) as caught:
        sync(ledger, feed, batch=10)
    assert caught.value.details["line"] == 25
    assert query(ledger, "SELECT count(*) FROM request") == [(20,)]
    assert counts(sync(ledger, FEED, batch=10)) == (10, 20, 0, 0)


def test_a_batch_is_seen_while_the_feed_goes_on(ledger: Path) -> None:
    """Others can read a batch before the next line is read."""
    seen: list[int] = []
    sync(
        ledger,
        FEED,
        batch=10,
        progress=lambda _: seen.extend(query(ledger, "SELECT count(*) FROM request")[0]),
    )
    assert seen == [10, 20, 30]


def test_batches_end_at_the_head(ledger: Path) -> None:
    """The head after batches is the last event's hash."""
    synced = sync(ledger, FEED, batch=7)
    ((last,),) = query(ledger, "SELECT hash FROM event ORDER BY seq DESC LIMIT 1")
    assert synced.head == last.hex()


# --- rejects --------------------------------------------------------------------------------------


def test_rejects_are_reported_and_the_feed_continues(ledger: Path) -> None:
    """Each bad line is reported with its number, its bytes and its reason."""
    rejects: list[tuple[jsonl.Line, LiveportalError]] = []
    late = line("session.ended", "10-05 09:00", id="x", session="S-9")
    synced = sync(
        ledger,
        [FEED[0], b"junk\n", FEED[1], late, FEED[1], opened(1, title="x"), FEED[2]],
        on_error=lambda bad, error: rejects.append((bad, error)),
    )
    assert counts(synced) == (3, 1, 0, 3)
    assert [bad.number for bad, _ in rejects] == [2, 4, 6]
    assert rejects[0][0].raw == b"junk"
    assert [error.code for _, error in rejects] == ["invalid_event", "not_found", "conflict"]
    assert all(error.message.startswith(f"Line {bad.number}") for bad, error in rejects)
    assert query(ledger, "SELECT count(*) FROM request") == [(3,)]


def test_a_rejected_line_leaves_nothing_behind(ledger: Path) -> None:
    """Later lines are judged as if the rejected one had never come."""
    errors: list[LiveportalError] = []
    early = line("session.paused", "10-05 08:59", id="x", session="S-1")
    sync(
        ledger, [*FEED, STORY[0], early, *STORY[1:]], on_error=lambda _, error: errors.append(error)
    )
    assert len(errors) == 1
    ((gross,),) = query(ledger, "SELECT gross_minor FROM session")
    assert gross == 60_00


def test_rejects_in_batches(ledger: Path) -> None:
    """Both together: bad lines are put aside, good ones committed as they come."""
    numbers: list[int] = []
    feed = [b"junk\n" if number % 7 == 0 else feed_line for number, feed_line in enumerate(FEED, 1)]
    synced = sync(ledger, feed, batch=5, on_error=lambda bad, _: numbers.append(bad.number))
    assert numbers == [7, 14, 21, 28]
    assert counts(synced) == (26, 0, 0, 4)


def test_a_line_too_long_can_be_rejected(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a bad line like any other: put aside, and the feed goes on behind it."""
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 1_000)
    numbers: list[int] = []
    feed = [FEED[0], b"x" * 5_000 + b"\n", FEED[1]]
    synced = sync(ledger, feed, on_error=lambda bad, _: numbers.append(bad.number))
    assert (numbers, counts(synced)) == ([2], (2, 0, 0, 1))


# --- several feeds, dry runs ----------------------------------------------------------------------


def test_each_feed_is_its_own_unit(ledger: Path) -> None:
    """The first feed stays recorded when the second fails, which leaves nothing."""
    with Portal(ledger) as portal:
        portal.sync(io.BytesIO(b"".join(FEED[:10])))
        with pytest.raises(InvalidEvent):
            portal.sync(io.BytesIO(b"".join([*FEED[10:20], b"junk\n"])))
    assert query(ledger, "SELECT count(*) FROM request") == [(10,)]


@pytest.mark.parametrize("batch", [None, 2])
def test_a_dry_run_counts_as_the_real_one(ledger: Path, batch: int | None) -> None:
    """The same counts, and nothing recorded; in batches too, where each builds on the last."""
    before = contents(ledger)
    feed = [*FEED, *STORY]
    assert counts(sync(ledger, feed, dry_run=True, batch=batch)) == (len(feed), 0, 0, 0)
    assert contents(ledger) == before


def test_a_dry_run_of_several_feeds(ledger: Path) -> None:
    """The second feed builds on the first, in a dry run as in the real one."""
    before = contents(ledger)
    with Portal(ledger, dry_run=True) as portal:
        portal.sync(io.BytesIO(b"".join(FEED)))
        assert counts(portal.sync(io.BytesIO(b"".join(STORY)))) == (5, 0, 0, 0)
    assert contents(ledger) == before


def test_a_dry_run_after_a_feed_that_failed(ledger: Path) -> None:
    """A feed that failed leaves nothing for the next one to meet, in a dry run either."""
    with Portal(ledger, dry_run=True) as portal:
        with pytest.raises(InvalidEvent):
            portal.sync(io.BytesIO(b"".join([*FEED[:16], b"junk\n"])))
        assert counts(portal.sync(io.BytesIO(b"".join(FEED)))) == (30, 0, 0, 0)


# --- hostile, but well-formed ---------------------------------------------------------------------

NESTED = "[" * 900 + "]" * 900


@pytest.mark.parametrize(
    "hostile",
    [
        line(
            "entry.reversed",
            "10-05 08:00",
            id="h",
            event={"source": "\ud800", "id": "\ud800"},
            reason="x",
        ),
        line("payout_profile.changed", "10-05 08:00", id="h", fields=["\ud800"]),
        line("payout_profile.changed", "10-05 08:00", id="h", fields=["a\x00b"]),
        line("preferences.changed", "10-05 08:00", id="h", timezone="\ud800"),
        line("preferences.changed", "10-05 08:00", id="h", skills=["\ud800"], role="\x00"),
        line("preferences.changed", "10-05 08:00", id="h", availability=["@"]).replace(
            b'"@"', NESTED.encode()
        ),
        line("preferences.changed", "10-05 08:00", id="h", availability=["@"]).replace(
            b'"@"', b"9" * 4_000
        ),
        line("customer.forgotten", "10-05 08:00", id="h", customer="C-1"),
        opened(99, title="\ud800", customer={"id": "C-1", "name": "\ud800"}),
    ],
    ids=[
        *("reference", "fields", "fields-nul", "timezone", "skills"),
        *("nested", "huge", "forgotten", "surrogate"),
    ],
)
@pytest.mark.parametrize("batch", [None, 1])
def test_hostile_text_is_recorded_or_refused(
    ledger: Path, hostile: bytes, batch: int | None
) -> None:
    """Lone surrogates, NUL, deep nesting: an outcome or an error of ours, and then replayable."""
    try:
        first = sync(ledger, [FEED[0], hostile], batch=batch)
    except LiveportalError:
        return
    assert first.recorded == 2
    assert counts(sync(ledger, [FEED[0], hostile], batch=batch)) == (0, 2, 0, 0)


def test_a_slot_at_the_end_of_the_calendar(ledger: Path) -> None:
    """A slot that ends after the year 9999 can be accepted, or is refused by us."""
    slots = [{"start": "9999-12-31T23:59:00Z", "minutes": 60}]
    accept = line("request.accepted", "10-05 09:00", id="a", request="R-1", slot=1)
    try:
        sync(ledger, [opened(1, kind="scheduled", slots=slots), accept])
    except (Refused, InvalidEvent):
        return
    with pytest.raises(WrongState):
        sync(ledger, [line("session.paused", "10-05 09:00", id="p", session="R-1")])
