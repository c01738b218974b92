"""Ranking of proposed slots: the order of the criteria, clock changes, boundaries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from liveportal.domain.clock import LAST
from liveportal.domain.events.types import Buffers, Slot, Vacation
from liveportal.domain.policy import Policy
from liveportal.domain.schedule.schedule import Booked, Schedule
from liveportal.domain.schedule.slots import AGAINST, RankedSlot, earning, rank_slots
from liveportal.domain.schedule.working_hours import Availability, DayException, Week
from tests.kit.events import at, policy, usd

PARIS = "Europe/Paris"
NEW_YORK = "America/New_York"
NOW = at("10-05 09:00")
EMPTY = Schedule(zone="UTC")


def slot(start: str, minutes: int = 45) -> Slot:
    """Propose a time."""
    return Slot(start=at(start), minutes=minutes)


def booked(name: str, start: str, minutes: int = 60) -> Booked:
    """Book a session."""
    return Booked(name, at(start), at(start) + timedelta(minutes=minutes))


def weekly(*hours: str) -> Availability:
    """Return hours that are the same every day."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return Availability(weekly=Week(**dict.fromkeys(days, hours)))


def numbers(found: list[RankedSlot]) -> list[int]:
    """Return the numbers of the slots, best first."""
    return [each.number for each in found]


def one(proposed: Slot, diary: Schedule = EMPTY, zone: str | None = None) -> RankedSlot:
    """Weigh a single slot."""
    (ranking,) = rank_slots([proposed], diary, zone, NOW)
    return ranking


# --- criteria -------------------------------------------------------------------------------------

# A customer in New York, an expert in Paris with hours, buffers, a vacation and a session.
BUSY = Schedule(
    zone=PARIS,
    booked=(booked("S-1", "10-08 10:00"),),
    availability=weekly("09:00-23:30"),
    buffers=Buffers(before=30, after=15),
    vacations=(Vacation(start=date(2026, 10, 12), end=date(2026, 10, 12)),),
)
WORST_FIRST = (
    ("10-05 08:59:59.999999", "past"),
    ("10-08 10:30", "conflict"),
    ("10-12 15:00", "vacation"),
    ("10-08 09:00", "buffer"),
    ("10-07 22:00", "outside_hours"),
    ("10-07 11:59", "their_night"),
    ("10-09 13:00", None),
)


def test_what_speaks_against_a_slot_weighs_in_this_order() -> None:
    """Past, taken, vacation, buffers, hours, the customer's night: each outweighs the next.

    The first in this list comes last in the ranking, however soon it is.
    """
    slots = [slot(start) for start, _ in WORST_FIRST]
    ranked_slots = rank_slots(slots, BUSY, NEW_YORK, NOW)
    assert numbers(ranked_slots) == [7, 6, 5, 4, 3, 2, 1]
    for each, (_, code) in zip(reversed(ranked_slots), WORST_FIRST, strict=True):
        codes = [code for code, _ in each.reasons]
        assert codes[0] == (code or "free")
        assert each.is_usable is (code not in ("past", "conflict", "vacation"))
    assert [ranking.is_past for ranking in ranked_slots] == [False] * 6 + [True]


def test_the_expert_has_a_night_where_no_hours_are_set() -> None:
    """Without hours 08:00 to 22:00 counts, to the minute; with hours only they count."""
    zone = replace(EMPTY, zone=PARIS)
    for start, minutes, night in (
        ("10-07 06:00", 45, False),
        ("10-07 05:59", 45, True),
        ("10-07 19:15", 45, False),
        ("10-07 19:16", 45, True),
        ("10-07 22:00", 45, True),
        ("10-07 10:00", 24 * 60, True),
    ):
        assert ("your_night" in one(slot(start, minutes), zone).codes) is night, start
    hours = replace(zone, availability=weekly("22:00-06:00"))
    assert one(slot("10-07 22:00"), hours).codes == {"free", "in_hours"}
    assert one(slot("10-07 10:00"), hours).codes == {"free", "outside_hours"}


def test_the_words_say_whose_clock() -> None:
    """Reasons for and against a slot are sentences with zone names and local times."""
    assert one(slot("10-09 13:00"), BUSY, NEW_YORK).reasons == (
        ("free", "free"),
        ("in_hours", "within your hours"),
        ("their_day", "09:00 for them"),
    )
    assert one(slot("10-08 10:30"), BUSY, NEW_YORK).reasons[:1] == (
        ("conflict", "overlaps session S-1"),
    )
    assert one(slot("10-08 09:00"), BUSY).reasons[0] == ("buffer", "too close to session S-1")
    assert dict(one(slot("10-07 11:59"), BUSY, NEW_YORK).reasons)["their_night"] == (
        "at night for them (07:59)"
    )
    assert dict(one(slot("10-07 04:00"), replace(EMPTY, zone=PARIS)).reasons)["your_night"] == (
        "at night for you (06:00)"
    )


def test_the_sooner_is_better_and_then_the_lower_number() -> None:
    """Among equal slots the sooner wins; the same time twice keeps its order."""
    slots = [slot("10-07 12:00"), slot("10-07 10:00", 30), slot("10-07 10:00")]
    assert numbers(rank_slots(slots, EMPTY, None, NOW)) == [2, 3, 1]
    assert rank_slots([], EMPTY, None, NOW) == []


def test_exactly_now_is_not_past_and_touching_is_no_conflict() -> None:
    """A slot that begins now is available; sessions are [start, end)."""
    assert not one(Slot(start=NOW, minutes=1)).is_past
    diary = replace(EMPTY, booked=(booked("S-1", "10-08 10:00"),))
    assert "conflict" not in one(slot("10-08 09:15"), diary).codes
    assert "conflict" in one(slot("10-08 09:16"), diary).codes
    assert "conflict" not in one(slot("10-08 11:00"), diary).codes


# --- clocks that change ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        ("03-28", "06:30"),
        ("03-29", "05:30"),
        ("10-24", "05:30"),
        ("10-25", "06:30"),
        ("11-01", "06:30"),
    ],
)
def test_half_past_seven_stays_half_past_seven(day: str, utc: str) -> None:
    """Hours from 07:30 judge 07:30 local the same before and after the clocks change."""
    diary = Schedule(zone=PARIS, availability=weekly("07:30-09:00"))
    start = at(f"{day} {utc}")
    (ranking,) = rank_slots([Slot(start=start, minutes=90)], diary, None, at("01-01 00:00"))
    assert ranking.local is not None
    assert ranking.local.strftime("%H:%M") == "07:30"
    assert ranking.codes == {"free", "in_hours"}
    for moved in (timedelta(minutes=-1), timedelta(minutes=1), timedelta(hours=-1)):
        other = Slot(start=start + moved, minutes=90)
        (ranking,) = rank_slots([other], diary, None, at("01-01 00:00"))
        assert "outside_hours" in ranking.codes


def test_the_customers_clock_may_change_on_another_day() -> None:
    """13:00 UTC is 09:00 in New York until 1 November, and 08:00 from then on; 12:59 is night."""
    for start, shown, night in (
        ("10-31 12:00", "08:00", False),
        ("11-01 12:00", "07:00", True),
        ("11-01 13:00", "08:00", False),
    ):
        ranking = one(slot(start), EMPTY, NEW_YORK)
        assert ranking.theirs is not None
        assert ranking.theirs.strftime("%H:%M") == shown
        assert ("their_night" in ranking.codes) is night


def test_a_month_ends_in_the_zone_of_whom_it_concerns() -> None:
    """A vacation until the 31st is over at midnight of the expert's own zone."""
    vacation = (Vacation(start=date(2026, 10, 30), end=date(2026, 10, 31)),)
    for zone, start, away in (
        ("Pacific/Apia", "10-31 10:59", True),
        ("Pacific/Apia", "10-31 11:00", False),
        (PARIS, "10-31 22:59", True),
        (PARIS, "10-31 23:00", False),
    ):
        diary = Schedule(zone=zone, vacations=vacation)
        assert ("vacation" in one(slot(start, 1), diary).codes) is away, (zone, start)


@pytest.mark.parametrize(
    "zone", ["", "Nowhere", "Europe", "../etc/passwd", "\x00", "\ud800", "UTC\n", "x" * 100_000]
)
def test_a_zone_that_there_is_not_is_unknown(zone: str) -> None:
    """An invalid zone of a customer is ignored; nothing else changes."""
    ranking = one(slot("10-07 03:00"), EMPTY, zone)
    assert ranking.theirs is None
    assert ranking == one(slot("10-07 03:00"), EMPTY, None)


@pytest.mark.parametrize(
    "start", ["0001-01-01T00:00:00Z", "0001-01-01T05:00:00+05:00", "9999-12-31T23:59:59Z"]
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", NEW_YORK])
def test_the_ends_of_the_calendar_are_slots_too(start: str, zone: str) -> None:
    """A slot at either end of the calendar is weighed like any other."""
    diary = replace(BUSY, zone=zone)
    ranked_slots = rank_slots([Slot(start=at(start), minutes=1440)], diary, zone, NOW)
    assert numbers(ranked_slots) == [1]
    assert one(Slot(start=LAST, minutes=5), replace(EMPTY, zone=zone), zone).number == 1


# --- earnings of a slot ---------------------------------------------------------------------------


def test_a_slot_earns_the_share_of_its_whole_length() -> None:
    """By the policy in force, trial and all: five minutes are free, six are billed whole."""
    for minutes, earned in ((5, "0.00"), (6, "12.60"), (45, "94.50"), (1440, "3024.00")):
        assert earning(usd("3.00"), minutes, Policy()) == usd(earned)
    after = policy(trial={"billed": "after-trial"}, fee={"percent": "12.5"})
    assert earning(usd("3.00"), 6, after) == usd("2.63")
    assert earning(usd("92233720368547758.07"), 60, Policy()) is None


# --- properties -----------------------------------------------------------------------------------

# Small pools, so that slots and sessions collide; Paris puts its clocks back on 25 October.
starts = st.sampled_from(
    [
        datetime(2026, 10, day, hour, minute, tzinfo=UTC)
        for day in (24, 25, 31)
        for hour in (0, 1, 6, 7, 12, 20, 23)
        for minute in (0, 30)
    ]
)
lengths = st.sampled_from([1, 30, 60, 600])
proposals = st.builds(lambda start, minutes: Slot(start=start, minutes=minutes), starts, lengths)
requests = st.lists(proposals, min_size=1, max_size=5)
sessions = st.builds(
    lambda name, start, minutes: Booked(name, start, start + timedelta(minutes=minutes)),
    st.sampled_from(["S-1", "S-2"]),
    starts,
    lengths,
)
hours = st.sampled_from([None, weekly("07:30-09:00"), weekly("08:00-18:00"), weekly("22:00-02:00")])
zones = st.sampled_from(["UTC", PARIS, NEW_YORK, "Pacific/Apia"])
diaries = st.builds(
    Schedule,
    zone=zones,
    booked=st.lists(sessions, max_size=3).map(tuple),
    availability=hours,
    buffers=st.sampled_from([None, Buffers(before=30), Buffers(before=0, after=0)]),
    vacations=st.sampled_from([(), (Vacation(start=date(2026, 10, 31), end=date(2026, 11, 1)),)]),
)
customers = st.sampled_from([None, "Nowhere", PARIS, "Asia/Seoul"])
nows = st.sampled_from([at("10-01 00:00"), at("10-25 01:00"), at("11-01 00:00")])


@given(requests, diaries, customers, nows)
def test_a_ranking_is_a_permutation(
    slots: list[Slot], diary: Schedule, customer: str | None, now: datetime
) -> None:
    """Every slot appears once with its own time; excluded slots come last."""
    ranked_slots = rank_slots(slots, diary, customer, now)
    assert sorted(numbers(ranked_slots)) == list(range(1, len(slots) + 1))
    for ranking in ranked_slots:
        assert (ranking.start, ranking.minutes) == (
            slots[ranking.number - 1].start,
            slots[ranking.number - 1].minutes,
        )
        assert ranking.is_usable is ("free" in ranking.codes)
        assert ranking.reasons
    usable = [ranking.is_usable for ranking in ranked_slots]
    assert usable == sorted(usable, reverse=True)


@given(requests, diaries, customers, nows, st.randoms(use_true_random=False))
def test_the_order_of_the_slots_decides_nothing_but_ties(
    slots: list[Slot], diary: Schedule, customer: str | None, now: datetime, random: Random
) -> None:
    """The same slots in another order rank the same, but for their numbers."""
    shuffled = [*slots]
    random.shuffle(shuffled)
    first, again = (
        [
            (ranking.start, ranking.reasons, ranking.local, ranking.theirs)
            for ranking in rank_slots(given_slots, diary, customer, now)
        ]
        for given_slots in (slots, shuffled)
    )
    assert first == again


@given(requests, diaries, customers, nows, st.data())
def test_another_session_at_its_time_never_improves_a_slot(
    slots: list[Slot], diary: Schedule, customer: str | None, now: datetime, data: st.DataObject
) -> None:
    """A session that overlaps one slot, and comes near no other, never moves that slot up."""
    number = data.draw(st.integers(1, len(slots)))
    hit = slots[number - 1]
    new = Booked("S-9", hit.start, hit.start + timedelta(minutes=hit.minutes))
    alone = replace(diary, booked=(new,))
    near = [
        ranking
        for ranking in rank_slots(slots, alone, customer, now)
        if ranking.number != number and ranking.codes & {"conflict", "buffer"}
    ]
    assume(not near)
    before = numbers(rank_slots(slots, diary, customer, now)).index(number)
    more = replace(diary, booked=(*diary.booked, new))
    after = rank_slots(slots, more, customer, now)
    assert numbers(after).index(number) >= before
    assert not after[numbers(after).index(number)].is_usable


@given(requests, diaries, customers, nows)
def test_within_hours_is_never_below_the_same_outside(
    slots: list[Slot], diary: Schedule, customer: str | None, now: datetime
) -> None:
    """Of two slots against which the same speaks, but for the hours, the one within comes first."""
    ranked_slots = rank_slots(slots, diary, customer, now)
    heavier = set(AGAINST[: AGAINST.index("outside_hours")])
    for index, upper in enumerate(ranked_slots):
        for lower in ranked_slots[index + 1 :]:
            if upper.codes & heavier == lower.codes & heavier and "outside_hours" in upper.codes:
                assert "outside_hours" in lower.codes


@given(diaries, customers, nows, proposals)
def test_an_exception_that_closes_a_day_only_makes_it_worse(
    diary: Schedule, customer: str | None, now: datetime, proposed: Slot
) -> None:
    """A slot on a closed day is outside the hours, whatever the weekly hours are."""
    day = proposed.start.date()
    closed = tuple(DayException(date=day + timedelta(days=n), hours=()) for n in (-2, -1, 0, 1, 2))
    hours = replace(diary.availability or Availability(), exceptions=closed)
    (ranking,) = rank_slots([proposed], replace(diary, availability=hours), customer, now)
    assert "outside_hours" in ranking.codes
