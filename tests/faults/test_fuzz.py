"""Readers of outside bytes answer with a value or an error of the contract, for any input.

The inputs are the fuzzer's corpus, which keeps every input that once broke a target, and
Hypothesis's changes of it: cut, joined, repeated, damaged, and with fragments that parsers dislike.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import CORPUS, TARGETS

if TYPE_CHECKING:
    from tests.faults.conftest import Amount

pytestmark = pytest.mark.slow


SLOWER = {"sync": 20, "export": 30, "statement": 10, "search": 10, "calendar": 4, "hours": 30}
"""How much longer an input takes: a ledger is verified, played back, asked."""

PIECES = (
    *(b"", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\r\n", b"\xe2\x80\xa8"),
    *(b"\xed\xa0\x80", b"\\ud800", b"\xe2\x80\xae", b"\x1b]8;;", b"\x1b[2J", b"\xc2\x9b"),
    *(b"[" * 3_000, b"{" * 3_000, b'{"a":' * 2_000, b"(" * 500, b"\\" * 99, b'"', b"'", b"''' "),
    *(b"NaN", b"Infinity", b"1e999", b"-0", b"9" * 20, b"9" * 5_000, b"0." + b"1" * 999),
    *(b"92233720368547758.07", b"-99999999999", b"0x7f", b"1_0", b"null", b"true", b"\xd9\xa3"),
    *(b"0000-01-01T00:00:00Z", b"9999-12-31T23:59:59-23:59", b"2026-06-30T23:59:60Z"),
    *(b"10000-01-01", b"2026-10-25 01:30", b"+25:00", b"24:00", b"99:99:99,999 --> "),
    *(b"../../etc/passwd", b"=cmd|' /C calc'!A0", b"; DROP TABLE event; --", b"<v a.b ", b"&#9"),
    *(b"END:VEVENT\r\n", b"BEGIN:VCALENDAR\r\n", b"PK\x05\x06", b"PK\x01\x02", b"\x1f\x8b\x08"),
)
SEEDS = {
    name: tuple(path.read_bytes() for path in sorted((CORPUS / name).iterdir())) for name in TARGETS
}

Change = tuple[int, int, bytes, int]


def test_every_target_has_seeds() -> None:
    """A target without seeds would be fuzzed from nothing."""
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_holds(name: str) -> None:
    """Every seed, and every input that once broke a target; some are valid."""
    taken = [TARGETS[name](seed) for seed in SEEDS[name]]
    assert any(taken)


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_a_target(name: str, amount: Amount) -> None:
    """For any change of the seeds, only the contract's errors are raised."""
    most = max(5, amount(quick=60, whole=4_000) // SLOWER.get(name, 1))

    @settings(
        max_examples=most,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        database=None,
    )
    @given(
        st.sampled_from(SEEDS[name]),
        st.lists(
            st.tuples(
                st.integers(0, 2_000),
                st.integers(0, 50),
                st.sampled_from(PIECES) | st.binary(max_size=4) | st.sampled_from(SEEDS[name]),
                st.integers(1, 3),
            ),
            max_size=4,
        ),
    )
    def holds(seed: bytes, changes: list[Change]) -> None:
        TARGETS[name](reduce(_mutations, changes, seed))

    holds()


def _mutations(content: bytes, change: Change) -> bytes:
    """Cut a piece out, and put another in its place, once or several times."""
    start, length, piece, times = change
    start %= len(content) + 1
    return content[:start] + piece * times + content[start + length :]


def test_a_broken_target_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is not the contract's passes through: the targets swallow no other."""

    def broken(_line: object) -> NoReturn:
        raise KeyError("nothing")

    monkeypatch.setattr("liveportal.feeds.jsonl.read", broken)
    with pytest.raises(KeyError):
        TARGETS["events"](SEEDS["events"][0])
