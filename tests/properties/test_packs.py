"""Packs of random books: the ledger can reproduce every byte later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import BytesIO, TextIOWrapper
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from liveportal.cli.main import main
from liveportal.domain.events.types import PolicyAdopted
from liveportal.ledger.opening import open_readonly
from liveportal.portal import Portal
from tests.kit.books import Clock
from tests.properties.author import Book

BOOKS = 6
CHAT = "[00:00:05] Mina {0}: It flickers, says Zo\u00eb.\n[00:01:00] Ana: It is fixed {0}.\n"
NAMES = ("--keep", "Ana", "--name", "Zoe")


def run(*argv: object) -> dict[str, Any]:
    """Run a command that succeeds, and return its JSON."""
    out = TextIOWrapper(BytesIO(), "utf-8")
    with redirect_stdout(out):
        code = main([*map(str, argv), "--json"])
        out.flush()
    written = out.buffer
    assert isinstance(written, BytesIO)
    assert code == 0, argv
    answer: dict[str, Any] = json.loads(written.getvalue())
    return answer


def claims(ledger: Path) -> list[tuple[str, str]]:
    """Return the claims of a ledger, and their sessions."""
    with open_readonly(ledger) as reader:
        return [(row["id"], row["session"]) for row in reader.all("SELECT id, session FROM claim")]


class Maker:
    """Makes packs of a ledger while it grows, and remembers how."""

    def __init__(self, folder: Path, ledger: Path, random: Random) -> None:
        self.folder = folder
        self.ledger = ledger
        self.random = random
        self.made: list[tuple[Path, Sequence[str]]] = []

    def make(self) -> None:
        """Attach a transcript to some session with a claim, and make packs of some claims."""
        for claim, session in claims(self.ledger)[-3:]:
            if self.random.random() < 0.4:
                chat = self.folder / f"Mina {len(self.made)}.txt"
                chat.write_text(CHAT.format(len(self.made)))
                given = ("--ledger", self.ledger, "--kind", "transcript")
                run("sessions", "attach", session, chat, *given)
            pack = self.folder / f"{len(self.made)}.zip"
            options: tuple[str, ...] = ()
            if self.random.random() < 0.5:
                options = ("--redact", *NAMES)
            if self.random.random() < 0.2:
                options += ("--largest", "0")
            run("dispute", "evidence", claim, "--ledger", self.ledger, "-o", pack, *options)
            self.made.append((pack, NAMES if options[:1] == ("--redact",) else ()))

    def check(self) -> None:
        """Hold every pack against the ledger as it became."""
        for pack, names in self.made:
            report = run("dispute", "verify", pack, "--ledger", self.ledger, *names)
            assert (report["in_ledger"], report["not_compared"]) == (True, []), pack
            if names:  # Without them nothing is found wrong, either.
                report = run("dispute", "verify", pack, "--ledger", self.ledger)
                assert report["in_ledger"] in (True, "partly"), pack


@pytest.mark.slow
def test_a_pack_is_true_for_ever(
    tmp_path: Path,
    tmp_ledger_env: Path,  # noqa: ARG001 -- The developer's own settings stay out.
) -> None:
    """Whatever was recorded after it was made: decisions, corrections, reversals."""
    made = 0
    for seed in range(BOOKS):
        random = Random(seed)  # noqa: S311 (the same books each time)
        book = Book.of(random, 25 + seed)
        adopted, *events = book.events
        assert isinstance(adopted.data, PolicyAdopted)
        folder = tmp_path / str(seed)
        folder.mkdir()
        ledger = folder / "ledger.db"
        clock = Clock(datetime(2027, 6, 1, tzinfo=UTC))
        Portal.create(ledger, adopted.data.policy, now=clock)
        maker = Maker(folder, ledger, random)
        places = sorted({0, len(events), *random.sample(range(len(events)), 4)})
        for start, end in pairwise(places):
            clock.now += timedelta(hours=1)
            with Portal(ledger, now=clock) as portal:
                portal.record(events[start:end], allow=True)
            maker.make()
        maker.check()
        made += len(maker.made)
    assert made >= 10, "books without claims show nothing"
