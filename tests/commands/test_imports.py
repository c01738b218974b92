"""What a command imports: start-up time is a promise, and these are what costs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.commands.shell import Shell

PROBE = """
import json, sys
from liveportal.__main__ import main
sys.argv[0] = "liveportal"
code = main()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
sys.exit(code)
"""
MODELS = {"sqlmodel", "sqlalchemy", "pydantic", "pydantic_core"}
SLOW = {*MODELS, "pendulum", "dateutil", "babel", "rich", "platformdirs"}
# Each of these costs a millisecond or more.
DEAR = {"csv", "decimal", "hashlib", "zoneinfo", "importlib.metadata", "importlib.resources"}
# What every read has to have: the command line, money and time, the file and its windows.
EVERY_READ = {
    *("__main__", "cli", "cli.app", "cli.errors", "cli.looking", "cli.options", "cli.outputs"),
    *("cli.render", "cli.results", "cli.run", "cli.signals", "cli.text", "cli.times"),
    *("domain", "domain.billing", "domain.clock", "domain.errors", "domain.money"),
    *("domain.changing", "domain.patterns", "domain.policy", "domain.text", "domain.values"),
    *(
        "ledger",
        "ledger.blame",
        "ledger.done",
        "ledger.durable",
        "ledger.driver",
        "ledger.engine",
        "ledger.opening",
        "ledger.parts",
        "ledger.reader",
        "ledger.windows",
    ),
    "domain.posting",
}
# What each read has besides: its own modules, and the dear ones that its own answer takes.
OWN = {
    "earnings --month 2026-10 --json": (
        "cli.earnings cli.earnings_analysis cli.earnings_span cli.progress domain.claimable "
        "domain.earnings ledger.windows.earnings"
    ),
    "earnings months --json": (
        "cli.earnings cli.earnings_analysis cli.earnings_span cli.progress domain.claimable "
        "domain.earnings ledger.windows.earnings"
    ),
    "earnings transactions --json": (
        "cli.earnings cli.earnings_analysis cli.earnings_span cli.progress domain.claimable "
        "domain.earnings ledger.windows.earnings"
    ),
    "requests list --json": (
        "cli.confirm cli.history cli.requests cli.requests_shown cli.requests_slots "
        "domain.books domain.codec domain.declining domain.diary domain.envelope "
        "domain.events domain.hours domain.preferences domain.requests domain.slots "
        "domain.things ledger.rows ledger.windows.diary ledger.attribution ledger.windows.history "
        "ledger.windows.people ledger.windows.requests ledger.windows.wanted "
        "decimal"
    ),
    "requests show REQ-1006 --json": (
        "cli.confirm cli.history cli.requests cli.requests_shown cli.requests_slots "
        "domain.books domain.codec domain.declining domain.diary domain.envelope "
        "domain.events domain.hours domain.preferences domain.requests domain.slots "
        "domain.things ledger.rows ledger.windows.diary ledger.attribution ledger.windows.history "
        "ledger.windows.people ledger.windows.requests ledger.windows.wanted "
        "domain.cautions ledger.documents ledger.windows.flags zoneinfo"
    ),
    "sessions list --json": (
        "cli.sessions cli.sessions_history domain.codec domain.earnings domain.envelope "
        "domain.things domain.words ledger.rows ledger.vault ledger.attribution "
        "ledger.windows.history "
        "ledger.windows.mentions ledger.windows.people ledger.windows.said "
        "ledger.windows.search ledger.windows.selection ledger.windows.sessions"
    ),
    "sessions show S-1002 --json": (
        "cli.evidence_shown cli.history cli.live cli.sessions cli.sessions_named "
        "cli.sessions_shown domain.artifacts domain.codec domain.earnings domain.envelope "
        "domain.running domain.things domain.words ledger.rows ledger.vault "
        "ledger.attribution ledger.windows.history ledger.windows.mentions ledger.windows.people "
        "ledger.windows.running ledger.windows.said ledger.windows.search ledger.windows.selection "
        "ledger.windows.sessions domain.cautions domain.events ledger.documents "
        "ledger.windows.flags"
    ),
    "sessions upcoming --json": (
        "cli.sessions cli.sessions_planned domain.books domain.codec domain.diary "
        "domain.earnings domain.envelope domain.events domain.findings domain.hours "
        "domain.preferences domain.requests domain.running domain.things domain.words "
        "ledger.rows ledger.vault ledger.windows.agenda ledger.windows.diary "
        "ledger.attribution ledger.windows.history ledger.windows.mentions ledger.windows.people "
        "ledger.windows.said ledger.windows.search ledger.windows.selection "
        "ledger.windows.sessions zoneinfo"
    ),
    "sessions search mali --json": (
        "cli.acting cli.confirm cli.progress cli.sessions cli.sessions_evidence "
        "cli.sessions_named domain.artifacts domain.things ledger.rows ledger.vault "
        "ledger.windows.people ledger.windows.said ledger.windows.search domain.words"
    ),
    "refunds list --json": (
        "cli.refunds cli.refunds_shown domain.answers domain.books domain.claimable "
        "domain.codec domain.envelope domain.events domain.refunds domain.requests "
        "domain.sessions domain.things ledger.rows ledger.windows.claims "
        "ledger.attribution ledger.windows.history ledger.windows.people"
    ),
    "dispute list --json": (
        "cli.dispute cli.dispute_shown cli.refunds_shown domain.answers domain.books "
        "domain.claimable domain.codec domain.envelope domain.events domain.refunds "
        "domain.requests domain.sessions domain.things ledger.rows ledger.windows.claims "
        "ledger.attribution ledger.windows.history ledger.windows.people"
    ),
    "payout preview --json": (
        "cli.payout cli.payout_forecast cli.payout_shown domain.books domain.claimable "
        "domain.codec domain.completeness domain.envelope domain.events domain.forecast "
        "domain.payouts domain.profile domain.refunds domain.requests domain.sessions "
        "domain.things ledger.items ledger.attribution "
        "ledger.windows.history ledger.windows.payouts "
        "ledger.windows.profile"
    ),
    "payout list --json": (
        "cli.payout cli.payout_forecast cli.payout_shown domain.books domain.claimable "
        "domain.codec domain.completeness domain.envelope domain.events domain.forecast "
        "domain.payouts domain.profile domain.refunds domain.requests domain.sessions "
        "domain.things ledger.items ledger.attribution "
        "ledger.windows.history ledger.windows.payouts "
        "ledger.windows.profile"
    ),
    "due --json": (
        "cli.due domain.answers domain.books domain.claimable domain.codec "
        "domain.completeness domain.deadlines domain.envelope domain.events domain.forecast "
        "domain.payouts domain.profile domain.refunds domain.requests domain.sessions "
        "domain.things ledger.items ledger.rows ledger.vault ledger.windows.due "
        "ledger.attribution ledger.windows.history ledger.windows.payouts ledger.windows.people "
        "ledger.windows.profile"
    ),
}
AT = ("--at", "2026-12-31 10:00", "--anyway")


def _imported(shell: Shell, *argv: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=shell.folder,
        env=shell.environment(),
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "argv",
    [
        "earnings --month 2026-10 --json",
        "requests list --csv",
        "sessions show S-1001",
        "sessions upcoming",
        "sessions check",
        "sessions search mali",
        "sessions show S-1001 --transcript",
        "preferences show --json",
        "refunds show CL-1",
        "dispute evidence CL-1",
        "payout preview",
        "payout forecast",
        "earnings explain 2026-10",
        "--help",
    ],
)
def test_a_read_imports_nothing_slow(states: Shell, argv: str) -> None:
    """Neither models, nor a calendar, nor rich where there is no terminal."""
    assert _imported(states, *argv.split()) & SLOW == set()


@pytest.mark.parametrize(
    "argv",
    [
        "requests accept REQ-2001",
        "dispute rule CL-1 --accepted",
        "sessions tip S-1002 5.00",
    ],
)
def test_a_write_imports_no_models(states: Shell, argv: str) -> None:
    """A single write is light, too, also with an ISO time; but the first makes the machine's id."""
    states.ok("sessions", "tip", "S-1001", "5.00")
    assert _imported(states, *argv.split(), *AT) & (SLOW - {"dateutil"}) == set()


def test_only_words_need_a_calendar(states: Shell) -> None:
    """`3 days ago` is reckoned by pendulum; now, yesterday or an ISO time are not."""
    tip = ("sessions", "tip", "S-1002", "5.00", "--dry-run", "--at")
    assert "pendulum" in _imported(states, *tip, "0 days ago")
    assert "pendulum" not in _imported(states, *tip, "yesterday 14:00")


def test_as_known_imports_no_models(states: Shell) -> None:
    """Replaying the journal is the domain's work."""
    assert _imported(states, "earnings", "--as-known", "2999-01-01", "--json") & MODELS == set()


def _ours(shell: Shell, *argv: str) -> tuple[set[str], set[str]]:
    """Return the modules of ours that a command imports, and all others, by their whole names."""
    probe = PROBE.replace('name.partition(".")[0] for name', "name for name")
    ran = subprocess.run(
        [sys.executable, "-c", probe, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=shell.folder,
        env=shell.environment(),
        timeout=60,
        check=False,
    )
    assert ran.returncode in (0, 10), ran.stderr
    names = set(json.loads(ran.stderr.splitlines()[-1]))
    ours = {name.removeprefix("liveportal.") for name in names if name.startswith("liveportal.")}
    return ours, names


@pytest.mark.parametrize(("line", "more"), OWN.items())
def test_a_read_imports_its_own_modules_alone(states: Shell, line: str, more: str) -> None:
    """Neither the writes of its group, nor the door, nor what other reads need."""
    ours, everything = _ours(states, *line.split())
    assert ours - EVERY_READ - set(more.split()) == set()
    assert everything & DEAR - set(more.split()) == set()


def test_a_version_imports_nothing(states: Shell) -> None:
    """It is said before Typer is there."""
    ours, everything = _ours(states, "--version")
    assert ours == {"__main__"}
    assert "typer" not in everything


@pytest.mark.parametrize("line", ["requests accept REQ-2001", "dispute rule CL-1 --accepted"])
def test_a_write_imports_no_other_s_work(states: Shell, line: str) -> None:
    """The vault, the replay, what checks and what exports are for those who ask for them."""
    ours, _ = _ours(states, *line.split(), *AT)
    heavy = (
        *("ledger.vault", "ledger.evidence", "ledger.traces", "ledger.playback"),
        *("ledger.rebooking", "ledger.verify", "ledger.tables", "ledger.filling"),
    )
    assert not [name for name in ours if name in heavy or name.startswith("exports.")]
    assert not [name for name in ours if name.startswith("feeds.transcripts")]
