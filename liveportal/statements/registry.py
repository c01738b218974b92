"""The formats that are read, and which of them a file has.

Files that people download by mistake (a PDF, a workbook) are refused by name, with the right file.
"""

from __future__ import annotations

from collections.abc import Sequence

from liveportal.domain.errors import AmbiguousFormat, UnknownFormat
from liveportal.domain.hint import Hint
from liveportal.statements.formats import Format
from liveportal.statements.paypal import PayPalActivity, PayPalStatement
from liveportal.tables.columns import Columns
from liveportal.tables.source import Place, Source, quoted
from liveportal.tables.table import Header, read_header

FORMATS: Sequence[Format] = (PayPalActivity(), PayPalStatement())
"""Every format. Where two files have the same row, that of the earlier format is kept."""

_SETTLEMENT = ("RH", "FH", "SH", "SB", "CH")
_SAMPLE = 2048
_NAMES_SHOWN = 6
_DOWNLOAD = (
    "Download a CSV: at PayPal, choose Reports > Activity download, the format CSV, and all"
    " transactions."
)
_MISTAKEN = {
    b"%PDF-": "the file is a PDF, which cannot be read reliably.",
    b"\xd0\xcf\x11\xe0": "the file is an Excel workbook (.xls).",
    b"PK\x03\x04": "the file is an archive in an archive; unpack it first.",
    b"\x1f\x8b": "the file is compressed with gzip; unpack it first.",
    b"<!doctype html": "the file is a web page, perhaps that of an expired login.",
    b"<html": "the file is a web page, perhaps that of an expired login.",
    b"<?xml": "the file is an XML file.",
    b"{": "the file is a JSON file.",
}


def identify(source: Source, name: str | None) -> tuple[Format, Columns, Header]:
    """Return the format of a file, its columns and its header; `name` limits the formats.

    Raises `UnknownFormat` or `AmbiguousFormat`.
    """
    place = Place(source.name)
    _refuse_mistaken(place, source.head(_SAMPLE))
    header = read_header(source)
    if header is None:
        raise place.error(UnknownFormat, 1, "the file is empty.", hint=_DOWNLOAD, formats=_known())
    if header.names and header.names[0] in _SETTLEMENT:
        raise place.error(
            UnknownFormat,
            header.line,
            "this is a PayPal settlement or transaction-detail report, whose amounts have no signs"
            " and no balance.",
            hint=_DOWNLOAD,
            formats=_known(),
        )
    fitting = [
        (form, columns)
        for form in FORMATS
        if name in (None, form.name) and (columns := form.fit(header.positions))
    ]
    if not fitting:
        raise _unknown(place, header)
    if len(fitting) > 1:
        names = [form.name for form, _ in fitting]
        raise place.error(
            AmbiguousFormat,
            header.line,
            f"the header fits two formats: {' and '.join(names)}.",
            hint=Hint("Choose one of them with {the_format}."),
            formats=names,
        )
    form, columns = fitting[0]
    return form, columns, header


def rank(name: str) -> int:
    """Return a format's place among all: the lower, the more its rows say."""
    return [form.name for form in FORMATS].index(name)


def refuse_workbook(place: Place) -> UnknownFormat:
    """Return the refusal of a ZIP archive that is a workbook."""
    return place.error(
        UnknownFormat,
        1,
        "the file is an Excel workbook (.xlsx).",
        hint=_DOWNLOAD,
        formats=_known(),
    )


def _refuse_mistaken(place: Place, head: bytes) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, reason in _MISTAKEN.items():
        if start.startswith(magic.lower()):
            raise place.error(UnknownFormat, 1, reason, hint=_DOWNLOAD, formats=_known())


def _unknown(place: Place, header: Header) -> UnknownFormat:
    shown = ", ".join(quoted(name, 30) for name in header.names[:_NAMES_SHOWN])
    more = ", ..." if len(header.names) > _NAMES_SHOWN else ""
    known = ", ".join(f"{form.label} ({form.name})" for form in FORMATS)
    return place.error(
        UnknownFormat,
        header.line,
        f"the header is not that of a known statement: {shown}{more}.",
        hint=f"The known formats are: {known}.",
        formats=_known(),
    )


def _known() -> list[str]:
    return [form.name for form in FORMATS]
