"""The policy: every switch, every value, and a message for every impossible value."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from liveportal.domain.errors import InvalidPolicy
from liveportal.domain.money import LARGEST_MINOR, Money
from liveportal.domain.policy import Policy
from tests.kit.events import policy, usd

SHIPPED = {
    path.name.removesuffix(".toml"): tomllib.loads(path.read_text("utf-8"))
    for path in files("liveportal.domain").joinpath("policies").iterdir()
}

# Each switch of rulebook 3: its default, other valid values, and invalid ones.
TOO_LARGE = 10**30
NOT_NUMBERS: list[object] = ["5", 5.0, True, None, [], -1, TOO_LARGE]
NOT_WORDS: list[object] = ["", "Over", "x", 1, None, True, ["over"], {}]
NOT_AMOUNTS: list[object] = [100, 1.5, None, True, "", "x", "1.234", "-1.00", "1e3", [], TOO_LARGE]
SWITCHES: dict[str, tuple[object, list[object], list[object]]] = {
    "trial.minutes": (5, [0, 15], NOT_NUMBERS),
    "trial.billed": ("whole-session", ["after-trial", "none"], NOT_WORDS),
    "trial.boundary": ("over", ["from"], NOT_WORDS),
    "billing.rounding": ("exact", ["up", "down", "nearest"], NOT_WORDS),
    "billing.increment_seconds": (60, [1, 900], [*NOT_NUMBERS, 0]),
    "billing.minimum_minutes": (0, [15], NOT_NUMBERS),
    "fee.percent": ("30", ["0", "100", "12.5"], [30.0, True, None, -1, 101, "x", "", [], "1e1"]),
    "refund.deducts": ("share", ["gross"], NOT_WORDS),
    "refund.window_hours": (24, [0, 168], NOT_NUMBERS),
    "refund.partial": (False, [True], [0, 1, "true", None, []]),
    "dispute.window_hours": (None, [0, 72], ["5", "None", 5.0, True, [], -1, TOO_LARGE]),
    "evidence.kept_days": (None, [0, 90], ["5", "None", 5.0, True, [], -1, TOO_LARGE]),
    "dispute.silence": ("deduct", ["none"], NOT_WORDS),
    "period.timezone": (
        "UTC",
        ["Pacific/Auckland", "America/New_York"],
        ["", "Mars/Base", 1, None, [], "../../etc/passwd", "a\x00b"],
    ),
    "period.session_month": ("end", ["start"], NOT_WORDS),
    "payout.minimum": ("100.00", ["0.00", "50.50", "none"], NOT_AMOUNTS),
    "payout.minimum_counts": ("share", ["gross"], NOT_WORDS),
    "payout.due_days_after_month_end": (60, [0, 15], NOT_NUMBERS),
    "payout.first_wait_days": (60, [0], NOT_NUMBERS),
    "payout.methods": (["paypal"], [["paypal", "bank"]], ["paypal", [], [1], [""], None, [None]]),
    "rate.minimum": ("1.00", ["0.00", "5.00", "none"], [*NOT_AMOUNTS, "5.01"]),
    "rate.maximum": ("5.00", ["1.00", "500.00", "none"], NOT_AMOUNTS),
    "currency": ("USD", ["EUR", "GBP"], ["", "usd", "XYZ1", 1, None, [], "ZZZ"]),
}


def document(switch: str, value: object) -> dict[str, object]:
    """Return a policy document that sets one switch only."""
    table, _, key = switch.rpartition(".")
    return {"name": "x", **({table: {key: value}} if table else {key: value})}


def each(which: int) -> list[Any]:
    """Return parameters: each switch with each of its values of that kind."""
    return [
        pytest.param(switch, value, id=f"{switch}={value!r:.20}")
        for switch, values in SWITCHES.items()
        for value in values[which]  # type: ignore[attr-defined]
    ]


def test_the_default_profile_is_the_default() -> None:
    """An empty policy is `unity-live-help`, with the defaults of the rulebook."""
    assert Policy() == Policy.from_document(SHIPPED["unity-live-help"])
    expected = {name: value for name, (value, *_) in SWITCHES.items()}
    assert Policy().switches() == expected
    assert Policy().name == "unity-live-help"


@pytest.mark.parametrize(("switch", "value"), each(1))
def test_a_switch_takes_its_readings(switch: str, value: object) -> None:
    """Each value is accepted and stored, and every other switch keeps its default."""
    loaded = Policy.from_document(document(switch, value))
    assert loaded.switches() == {**Policy().switches(), switch: value}
    assert loaded != Policy()


@pytest.mark.parametrize(("switch", "value"), each(2))
def test_a_switch_refuses_what_it_has_not(switch: str, value: object) -> None:
    """A wrong value is refused with the switch's name and a reason."""
    with pytest.raises(InvalidPolicy) as caught:
        Policy.from_document(document(switch, value))
    assert caught.value.details["switch"] == switch
    assert caught.value.details["reason"]
    assert switch in caught.value.message


@pytest.mark.parametrize("word", [None, "none"])
def test_no_deadline_for_disputes(word: object) -> None:
    """`dispute.window_hours` not set: no deadline."""
    assert Policy.from_document(document("dispute.window_hours", word)) == policy(name="x")


@pytest.mark.parametrize("value", [30, "30", "30.0", "030"])
def test_percentages_are_integers_or_strings(value: object) -> None:
    """30 and "30.0" are the same percentage, and so the same policy."""
    assert policy(fee={"percent": value}) == policy()


def test_amounts_are_what_they_mean() -> None:
    """Amounts count, not their spelling: "100.0" and "100.00" make the same policy."""
    assert policy(payout={"minimum": "100.0"}) == policy(payout={"minimum": "100"}) == policy()
    assert policy(rate={"minimum": "1"}).rate_bounds == (usd("1.00"), usd("5.00"))


@pytest.mark.parametrize(
    ("given", "switch"),
    [
        ({"name": "x", "trail": {"minutes": 5}}, "trail"),
        ({"name": "x", "trial": {"minuets": 5}}, "trial.minuets"),
        ({"name": "x", "trial": 5}, "trial"),
        ({"name": "x", "trial": None}, "trial"),
        ({"name": "x", "trial": [5]}, "trial"),
        ({"trial": {"minutes": 5}}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": 1}, "name"),
        ({"name": "x", "source": 1}, "source"),
        ({"name": "x", "source": {"trial.minuets": "R5"}}, "source.trial.minuets"),
        ({"name": "x", "source": {"trial.minutes": 5}}, "source.trial.minutes"),
        ({"name": "x", "_amounts": 5}, "_amounts"),
        ([], "policy"),
        ("x", "policy"),
        (None, "policy"),
    ],
)
def test_what_is_no_policy(given: object, switch: str) -> None:
    """Unknown switches, missing names and values that are no tables are refused."""
    with pytest.raises(InvalidPolicy) as caught:
        Policy.from_document(given)
    assert caught.value.details["switch"] == switch


def test_digits_are_the_currency_s() -> None:
    """An amount has at most the digits of the policy's own currency; the defaults serve any."""
    with pytest.raises(InvalidPolicy) as caught:
        policy(currency="JPY", payout={"minimum": "100.5"})
    assert caught.value.details["switch"] == "payout.minimum"
    assert str(policy(currency="JPY").payout_minimum) == "100"
    assert str(policy(currency="KWD").payout_minimum) == "100.000"


@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD"])
def test_amounts_limit_nothing_in_another_currency(currency: str) -> None:
    """No rate bounds and no payout minimum of dollars; every other switch is kept."""
    loaded = Policy().in_currency(currency)
    assert Policy().in_currency("USD") == Policy()
    changed = {
        name for name, value in loaded.switches().items() if value != Policy().switches()[name]
    }
    assert changed == {"currency", "rate.minimum", "rate.maximum", "payout.minimum"}
    assert loaded.payout_minimum == Money(0, currency)
    lowest, highest = loaded.rate_bounds
    assert (lowest.minor, highest.minor) == (0, LARGEST_MINOR)
    assert Policy.from_document(loaded.document) == loaded
    with pytest.raises(InvalidPolicy):
        Policy().in_currency("ZZZ")


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_documents_read_back(name: str) -> None:
    """A policy's document holds every switch and reads back as the same policy, source and all."""
    loaded = Policy.from_document(SHIPPED[name])
    assert loaded.document == SHIPPED[name] | {"fee": {"percent": str(loaded.fee.percent)}} | (
        {"trial": {"boundary": "over", **SHIPPED[name]["trial"]}}
    )
    assert Policy.from_document(loaded.document) == loaded
    assert Policy.from_document(loaded.document).source == loaded.source


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_profiles_say_where_each_switch_is_from(name: str) -> None:
    """A shipped profile has a source for every switch, and is called as its file is."""
    assert set(SHIPPED[name]["source"]) == set(SWITCHES)
    assert all(SHIPPED[name]["source"].values())
    assert SHIPPED[name]["name"] == name


def test_two_profiles_ship_and_read_differently() -> None:
    """Besides the default there is one with a 15-minute minimum, rounding up, and no trial."""
    other = Policy.from_document(SHIPPED["quarter-hour"])
    assert (other.billing.minimum_minutes, str(other.billing.rounding)) == (15, "up")
    assert str(other.trial.billed) == "none"
