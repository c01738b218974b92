"""The physical lines of a statement: bytes in, text out, or a refusal that names the byte."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator

from liveportal.domain.errors import BadEncoding, MalformedFile
from liveportal.tables.source import Place, Source

ENCODINGS = (
    "utf-8",
    "ascii",
    "cp1250",
    "cp1251",
    "cp1252",
    *(f"iso8859-{n}" for n in (1, 2, 9, 15)),
)
"""The encodings that are read, by Python's names: in all of them, a line ends with the byte 10."""
LONGEST_LINE = 1024 * 1024
"""The most bytes in one line. Rows of real statements have at most a few thousand."""
LARGEST_FILE = 256 * 1024 * 1024
"""The most bytes in a file. PayPal splits its exports at 50,000 rows, which are 25 MB."""

_LINES_PER_REPORT = 2048
_ENCODING_HINT = (
    "Download the file from the provider again, or save it as CSV UTF-8 in your spreadsheet."
)


class Lines:
    """One pass over the lines of a file; `number` is that of the last line, from 1.

    Lines end with LF or CRLF, and keep that end. A byte order mark is removed.
    """

    def __init__(
        self,
        source: Source,
        report: Callable[[int], None] | None = None,
        *,
        encoding: str = "utf-8",
        longest: int = LONGEST_LINE,
    ) -> None:
        self.number = 0
        self._encoding, self._longest = encoding, longest
        self.place = Place(source.name)
        self._source = source
        self._report = report
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of the bytes that were read so far."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[str]:
        """Yield each line; raises `BadEncoding` or `MalformedFile`."""
        stream, offset = self._source.stream, 0
        stream.seek(0)
        while raw := stream.readline(self._longest + 1):
            self.number += 1
            self._digest.update(raw)
            text = self._text(raw, offset)
            offset += len(raw)
            if self._report and not self.number % _LINES_PER_REPORT:
                self._report(offset)
            yield text

    def _refuse_utf_16(self, raw: bytes) -> None:
        if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in raw[:2]:
            raise self.place.error(
                BadEncoding,
                1,
                "the file is in UTF-16, from its first byte on, which is not read.",
                hint=_ENCODING_HINT,
                offset=0,
            )

    def _text(self, raw: bytes, offset: int) -> str:
        if not offset:
            self._refuse_utf_16(raw)
        if len(raw) > self._longest:
            raise self.place.error(
                MalformedFile, self.number, f"the line is longer than {self._longest:,} bytes."
            )
        if b"\0" in raw:
            raise self.place.error(
                MalformedFile,
                self.number,
                "the line contains a NUL byte, which no statement has: the file is damaged.",
                hint="Download the file from the provider again.",
            )
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            at = offset + error.start
            raise self.place.error(
                BadEncoding,
                self.number,
                f"byte {at:,} of the file (0x{raw[error.start]:02X}) is not"
                f" {self._encoding.upper()}.",
                hint=_ENCODING_HINT,
                offset=at,
            ) from None
        return text if offset else text.removeprefix("\ufeff")
