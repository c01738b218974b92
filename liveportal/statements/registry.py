"""The formats that are read, and which of them a file has.

Files that people download by mistake (a PDF, a workbook) are refused by name, with the right file.
"""

from __future__ import annotations

from collections.abc import Sequence

from liveportal.domain.errors import AmbiguousFormat, LiveportalError, UnknownFormat
from liveportal.domain.hint import Hint
from liveportal.statements.camt import Camt053
from liveportal.statements.candidate import Candidate
from liveportal.statements.chase import Chase
from liveportal.statements.formats import Format
from liveportal.statements.mapped import MappedFormat, shipped_formats
from liveportal.statements.mt940 import Mt940
from liveportal.statements.ofx import Ofx
from liveportal.statements.options import Options
from liveportal.statements.paypal import PayPalActivity, PayPalStatement
from liveportal.statements.revolut import RevolutBusiness, RevolutPersonal
from liveportal.statements.stripe import StripeItemised, StripeTransactions
from liveportal.statements.stripe_json import StripeEvents
from liveportal.statements.wise import WiseHistory, WiseJson, WiseStatement
from liveportal.tables.columns import CellReader
from liveportal.tables.mapped import lacks_columns
from liveportal.tables.source import Place, Source, quoted
from liveportal.tables.table import Dialect

FORMATS: Sequence[Format] = (
    *(PayPalActivity(), PayPalStatement()),
    *(WiseStatement(), WiseJson(), WiseHistory()),
    *(StripeItemised(), StripeTransactions(), StripeEvents()),
    *(RevolutPersonal(), RevolutBusiness(), Chase()),
    *shipped_formats(),
    *(Camt053(), Ofx(), Mt940()),
)
"""Every format. Where two files have the same row, that of the earlier format is kept."""

_SETTLEMENT = ("RH", "FH", "SH", "SB", "CH")
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


def identify(source: Source, options: Options) -> tuple[Format, CellReader]:
    """Return the format of a file, for this file, and what reads its rows.

    Raises `UnknownFormat` or `AmbiguousFormat`, or what the first line has that cannot be read.
    """
    file = Candidate(source)
    forced = [MappedFormat(options.mapping)] if options.mapping else []
    further = [MappedFormat(mapping) for mapping in options.mappings]
    fitting = _fitting(file, forced, options) or _fitting(file, [*further, *FORMATS], options)
    if not fitting:
        raise _unknown(file, options)
    if len(fitting) > 1:
        names = [form.name for form, _ in fitting]
        header = file.header(Dialect())
        raise file.place.error(
            AmbiguousFormat,
            header.line if header else 1,
            f"the header fits two formats: {' and '.join(names)}.",
            hint=Hint("Choose one of them with {the_format}."),
            formats=names,
        )
    return fitting[0]


def _fitting(
    file: Candidate, formats: Sequence[Format], options: Options
) -> list[tuple[Format, CellReader]]:
    return [
        (form, reader)
        for known in formats
        if options.format in (None, known.name)
        and (reader := (form := known.for_file(options)).reader(file))
    ]


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


def _unknown(file: Candidate, options: Options) -> LiveportalError:
    """Return why a file has none of the formats."""
    for magic, reason in _MISTAKEN.items():
        if file.head.lower().startswith(magic.lower()):
            return _mistaken(file, 1, reason)
    header = file.header(Dialect())
    if file.error:
        return file.error
    if header is None:
        return _mistaken(file, 1, "the file is empty.")
    if header.names and header.names[0] in _SETTLEMENT:
        reason = (
            "this is a PayPal settlement or transaction-detail report, whose amounts have no signs"
            " and no balance."
        )
        return _mistaken(file, header.line, reason)
    if options.mapping:
        own = file.header(options.mapping.dialect) or header
        return lacks_columns(file.place, own, options.mapping, formats=_known())
    shown = ", ".join(quoted(name, 30) for name in header.names[:_NAMES_SHOWN])
    more = ", ..." if len(header.names) > _NAMES_SHOWN else ""
    names = (
        form.provider.title() if form.name == "csv" else form.label.split()[0] for form in FORMATS
    )
    known = ", ".join(dict.fromkeys(names))
    return file.place.error(
        UnknownFormat,
        header.line,
        f"the header is not that of a known statement: {shown}{more}.",
        hint=Hint(
            "The known files are those of {known}. For another CSV file, {a_mapping_to_fill_in}"
            " prints the beginning of a mapping.",
            known=known,
        ),
        formats=_known(),
    )


def _mistaken(file: Candidate, line: int, reason: str) -> UnknownFormat:
    return file.place.error(UnknownFormat, line, reason, hint=_DOWNLOAD, formats=_known())


def _known() -> list[str]:
    return [form.name for form in FORMATS]
