"""A file whose format is not known yet: its first bytes and its header, read once."""

from __future__ import annotations

from liveportal.domain.errors import LiveportalError
from liveportal.tables.source import Place, Source
from liveportal.tables.table import Dialect, Header, read_header

_HEAD = 65_536


class Candidate:
    """What formats look at to recognise a file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.place = Place(source.name)
        self.head = source.head(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
        self.error: LiveportalError | None = None
        """Why the file has no header in the usual dialect."""
        self._headers: dict[Dialect, Header | None] = {}

    def header(self, dialect: Dialect) -> Header | None:
        """Return the header in a dialect; None if the file has none."""
        if dialect not in self._headers:
            self._headers[dialect] = None
            try:
                self._headers[dialect] = read_header(self.source, dialect)
            except LiveportalError as error:
                if dialect == Dialect():
                    self.error = error
        return self._headers[dialect]
