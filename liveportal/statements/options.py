"""What the user decides about files, and what stays unproved with their consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from liveportal.domain.errors import BadValue, UnknownRow, UnprovedFile
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.tables.mapping import MappingDocument
from liveportal.tables.source import Place

UNPROVED_HINT = Hint(
    "Download the file again, with all transactions. If it is still refused,"
    " {reading_it_unproved} reads it and reports what is not proved."
)


@frozen
class Options:
    """How to read what files leave open.

    `dates` is the order of dates (`dmy`, `mdy` or `ymd`) to assume for a file that can be read in
    two; `format` limits the formats to one; `timezone` is the zone of files that state none, and
    says what an abbreviation with several meanings (CST) is; `unproved` reads a file whose proofs
    fail, and reports it; `hop` says which step on the way to the bank pays a payout, where a
    provider has two (`transfer` or `payout`); `kinds` are meanings of types by their words, from
    the user's settings. `mapping` is the one to read files with that
    it fits, and `mappings` are further ones, each for the files that it recognises.
    """

    dates: str | None = None
    format: str | None = None
    timezone: str | None = None
    unproved: bool = False
    hop: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    payers: Sequence[str] = ()
    mapping: MappingDocument | None = None
    mappings: Sequence[MappingDocument] = ()


class Doubts:
    """What is not proved: it refuses the file unless the user allows it, and then is noted."""

    def __init__(self, place: Place, options: Options) -> None:
        self._place, self._is_allowed = place, options.unproved
        self.sentences: list[str] = []

    def note(self, sentence: str) -> None:
        """Note what the file cannot prove, which does not refuse it."""
        self.sentences.append(sentence)

    def fail(self, proof: str, line: int, reason: str) -> None:
        """Refuse the file because a proof fails, or note it."""
        self.refuse(self._place.error(UnprovedFile, line, reason, hint=UNPROVED_HINT, proof=proof))

    def refuse(self, error: BadValue | UnprovedFile | UnknownRow) -> None:
        """Raise an error, or note its message."""
        if not self._is_allowed:
            raise error
        self.note(error.message)
