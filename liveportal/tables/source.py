"""A statement's bytes, as the caller opened them, and the refusals that name a place in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, TypeVar

from liveportal.domain.errors import LiveportalError
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint

E = TypeVar("E", bound=LiveportalError)

Progress = Callable[[int, int], None]
"""Called now and then with the number of bytes that were read, and with that of all files."""


@frozen
class Source:
    """A file of the user's: its name for messages, and a stream that can be read more than once."""

    name: str
    stream: BinaryIO

    def size(self) -> int:
        """Return the number of bytes."""
        return self.stream.seek(0, 2)

    def head(self, size: int) -> bytes:
        """Return the first bytes."""
        self.stream.seek(0)
        return self.stream.read(size)


@frozen
class Place:
    """A file's name, for errors about one of its lines."""

    file: str

    def error(
        self,
        kind: type[E],
        line: int,
        reason: str,
        *,
        hint: Hint | str | None = None,
        **details: object,
    ) -> E:
        """Return an error about a line (1 for the file as a whole)."""
        message = f"{self.file}, line {line}: {reason}"
        return kind(message, hint=hint, file=self.file, line=line, **details)


def quoted(text: str, longest: int = 60) -> str:
    """Return a text from a file between quotation marks, shortened, for a message."""
    return repr(text if len(text) <= longest else f"{text[:longest]}...")
