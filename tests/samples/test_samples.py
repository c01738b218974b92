"""Two whole ledgers with their one right answer, from feed to output.

`october` is a month under the default policy; `winter` a stranger one under `winter.policy.toml`:
Auckland, months by the session's start, a trial that is not billed, a 15-minute minimum, refunds
deducted gross, partial claims, payouts that fail and come back. Each expected file was calculated
independently of the program.
"""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.errors import Conflict, LiveportalError
from liveportal.domain.events.types import PolicyAdopted
from liveportal.domain.policy import Policy
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import earnings
from liveportal.portal import Portal
from liveportal.services.sync import SyncResult
from tests.kit.books import plain
from tests.kit.ledger_files import contents

HERE = Path(__file__).parent
WINTER = Policy.from_document(tomllib.loads((HERE / "winter.policy.toml").read_text("utf-8")))
SAMPLES = {"october": Policy(), "winter": WINTER}

ADDED = ("transfer_fees",)
"""Fields that months have gained since; the samples have no such fee."""

each_sample = pytest.mark.parametrize("name", SAMPLES)


def feed(name: str) -> bytes:
    """Return a sample's feed."""
    return (HERE / f"{name}.jsonl").read_bytes()


def expected(name: str) -> Any:  # noqa: ANN401 (whatever the JSON holds)
    """Return a sample's right answer."""
    return json.loads((HERE / f"{name}.expected.json").read_text("utf-8"))


def answer(name: str, path: Path) -> Any:  # noqa: ANN401
    """Return the query results of a sample: October, or all months."""
    with open_readonly(path) as reader:
        months = (
            [earnings.month(reader, "2026-10")] if name == "october" else earnings.months(reader)
        )
    rows = [{field: row[field] for field in row if field not in ADDED} for row in plain(months)]
    return rows[0] if name == "october" else rows


def made(name: str, tmp_path: Path) -> Path:
    """Make a ledger under the sample's policy, adopted over the default as a user would."""
    path = tmp_path / f"{name}.db"
    Portal.create(path, Policy())
    if name == "winter":
        with Portal(path) as portal:
            portal.record([portal.event(PolicyAdopted(policy=WINTER))], allow=True)
    return path


def sync(path: Path, lines: bytes, **options: int) -> SyncResult:
    """Record a feed in a ledger file."""
    with Portal(path) as portal:
        return portal.sync(io.BytesIO(lines), **options)  # type: ignore[arg-type]


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Expect that nothing in the ledger changes."""
    before = contents(path)
    yield
    assert contents(path) == before


@each_sample
def test_the_right_answer(name: str, tmp_path: Path) -> None:
    """Every line is recorded, and the earnings are exactly the expected ones, field by field."""
    path = made(name, tmp_path)
    synced = sync(path, feed(name))
    assert synced.recorded == len(feed(name).splitlines())
    assert (synced.replayed, synced.confirmed, synced.refused) == (0, 0, 0)
    answered = answer(name, path)
    assert answered == expected(name)
    months = answered if isinstance(answered, list) else [answered]
    wanted = expected(name) if isinstance(answered, list) else [expected(name)]
    assert [list(month) for month in months] == [list(month) for month in wanted]


@each_sample
def test_syncing_again_records_nothing(name: str, tmp_path: Path) -> None:
    """A second sync of the same feed is all replays."""
    path = made(name, tmp_path)
    first = sync(path, feed(name))
    with unchanged(path):
        again = sync(path, feed(name))
    assert (again.recorded, again.replayed) == (0, first.recorded)
    assert again.head == first.head


@each_sample
@pytest.mark.parametrize("batch", [pytest.param(1, marks=pytest.mark.slow), 7])
def test_batches_give_the_same_answer(name: str, batch: int, tmp_path: Path) -> None:
    """However many lines are committed at a time, the answer is the same."""
    path = made(name, tmp_path)
    sync(path, feed(name), batch=batch)
    assert answer(name, path) == expected(name)


@each_sample
def test_a_feed_in_two_parts(name: str, tmp_path: Path) -> None:
    """Half a feed today and the whole of it tomorrow: the first half is replayed."""
    lines = feed(name).splitlines(keepends=True)
    half = len(lines) // 2
    path = made(name, tmp_path)
    sync(path, b"".join(lines[:half]))
    synced = sync(path, feed(name))
    assert (synced.replayed, synced.recorded) == (half, len(lines) - half)
    assert answer(name, path) == expected(name)


@each_sample
def test_another_source_reports_it_all_again(name: str, tmp_path: Path) -> None:
    """The same facts from a mirror are confirmed, line by line, and move no money."""
    path = made(name, tmp_path)
    sync(path, feed(name))
    synced = sync(path, feed(name).replace(b"https://help.example", b"https://mirror.example"))
    assert (synced.recorded, synced.confirmed) == (0, len(feed(name).splitlines()))
    assert answer(name, path) == expected(name)


@each_sample
def test_order_matters(name: str, tmp_path: Path) -> None:
    """A feed that is turned round is refused at its first line, and records nothing."""
    path = made(name, tmp_path)
    with unchanged(path), pytest.raises(LiveportalError) as caught:
        sync(path, b"".join(reversed(feed(name).splitlines(keepends=True)[:6])))
    assert caught.value.details["line"] == 1


def test_a_changed_line_under_an_old_id(tmp_path: Path) -> None:
    """One cent more on one line: a conflict that names line and field."""
    path = made("october", tmp_path)
    sync(path, feed("october"))
    changed = feed("october").replace(b'"10.00"', b'"10.01"')
    with unchanged(path), pytest.raises(Conflict) as caught:
        sync(path, changed)
    assert (caught.value.details["line"], caught.value.fields) == (13, ["amount"])


def test_line_17_is_bad(tmp_path: Path) -> None:
    """A bad line 17: line, field and reason are named, and the ledger is as empty as before."""
    path = made("october", tmp_path)
    lines = feed("october").splitlines(keepends=True)
    lines[16] = lines[16].replace(b'"kind": "instant"', b'"kind": "urgent"')
    with unchanged(path), pytest.raises(LiveportalError) as caught:
        sync(path, b"".join(lines))
    assert (caught.value.details["line"], caught.value.details["field"]) == (17, "kind")
    assert "instant, scheduled" in caught.value.message


def test_the_default_policy_answers_otherwise(tmp_path: Path) -> None:
    """The winter under the default policy is refused where it claims a part: readings matter."""
    path = tmp_path / "winter.db"
    Portal.create(path, Policy())
    with pytest.raises(LiveportalError) as caught:
        sync(path, feed("winter"))
    assert caught.value.code == "partial_refund"
