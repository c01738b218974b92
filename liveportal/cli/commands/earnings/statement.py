"""`liveportal earnings statement`: a month or a year as a document that can be verified.

Registered in `liveportal.cli.commands.earnings`; `ledger verify` verifies the documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.commands.earnings.span import parse_month
from liveportal.cli.completion import periods
from liveportal.cli.io.output_file import check_target, open_output_bytes
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import open_reader
from liveportal.domain.errors import (
    LiveportalError,
    NotAStatement,
    OutputFailed,
    StatementChanged,
    UnreadableFile,
)
from liveportal.domain.patterns import pattern
from liveportal.domain.row import Row, row
from liveportal.domain.text import clean
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.atomic import unreadable
from liveportal.ledger.storage.ledger_paths import check_input

if TYPE_CHECKING:
    # Imported late: no other read needs its hashes.
    from liveportal.domain.statement import Document, Names, Seal

LONGEST_FILE = 100_000_000
"""In bytes; enough for a year with one session per minute."""
PLATFORMS = {"unity-live-help": "Unity Live Help"}
"""The platforms of the shipped policies, by the name of the policy."""
DEFAULT_FILE = "statement-{}.html"
_YEAR = pattern(r"[12][0-9]{3}", re.ASCII)


@row
class WrittenStatement(Row):
    """A statement that was written, with the head and the digest with which it is verified."""

    statement: str
    file: str
    net: str
    currency: str
    transactions: int
    events: int
    head: str
    digest: str
    payee: str | None
    platform: str | None

    LATER = ("payee", "platform")


@shows(WrittenStatement)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def statement(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    period: Annotated[
        str,
        typer.Argument(
            metavar="[MONTH|YEAR]",
            help="A month (2026-10) or a year (2026).",
            autocompletion=periods,
        ),
    ] = "last",
    payee: Annotated[
        str | None,
        typer.Option(
            "--payee",
            metavar="NAME",
            help="The payee (default: as in your profile; '' for none).",
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            metavar="NAME",
            help="The platform (default: by the policy; '' for none).",
        ),
    ] = None,
) -> None:
    """Write a statement of earnings for a tax adviser.

    It covers a month or a year. The ending of -o FILE decides the format: .html, .pdf or .csv.
    Without -o, the statement is a new page in this folder, such as statement-2026-10.html.

    It names payee, platform, time zone and policy, and shows the income, the balances, every
    session and every transaction; a year also has the figures for tax forms. It contains no
    personal data of customers. With the seal at its end,
    `liveportal ledger verify --statement FILE` later compares its figures with the ledger.

    Examples:
      liveportal earnings statement
      liveportal earnings statement 2026-10 -o october.html
      liveportal earnings statement 2026 -o 2026.pdf --payee "Ana Kova"
      liveportal earnings statement 2026 -o 2026.csv
    """
    from liveportal.ledger.queries.statement import statement as statement_document

    result_options = replace(out, output=None)
    check_output_possible(WrittenStatement, result_options)
    write_document = writer_of(out.output or Path(DEFAULT_FILE))
    check_target(out.output, ledger.files)
    with open_reader(ledger, read, out) as reader:
        is_year = _YEAR.fullmatch(period)
        name = period if is_year else parse_month(reader, period)
        path = out.output or _new_file(name)
        document = statement_document(reader, name, _names(reader, payee, platform))
    if path.suffix.lower() == ".pdf":
        _check_letters(document)
    content = write_document(document)
    with open_output_bytes(path) as stream:
        stream.write(content)
    render(Detail(WrittenStatement, _written_row(name, path, document)), result_options)
    hint(f"To verify it later: `liveportal ledger verify --statement {path}`")
    if document["payee"] is None and payee is None:
        hint("The statement does not name the payee. Name the payee with --payee.")


def _names(reader: Reader, payee: str | None, platform: str | None) -> Names:
    """Return the names on a statement: those given, else those of the ledger."""
    from liveportal.domain.statement import Names

    known_payee = _payee(reader) if payee is None else payee
    known_platform = PLATFORMS.get(reader.policy.name) if platform is None else platform
    return Names(clean(known_payee or "") or None, clean(known_platform or "") or None)


def _payee(reader: Reader) -> str | None:
    """Return the name in the payout profile; None if it is not filled in or its key is missing."""
    if reader.one("SELECT 1 FROM sealed_value WHERE field = 'name'") is None:
        return None
    from liveportal.ledger.secrets.encrypted_fields import EncryptedFields

    try:
        values = EncryptedFields(reader.db, reader.path).values()
    except LiveportalError:
        return None
    return values["name"].plain if "name" in values else None


def _check_letters(document: Document) -> None:
    """Raise a usage error if a name cannot be shown in a PDF."""
    from liveportal.exports.statement_pdf import has_letters

    for option in ("payee", "platform"):
        if not has_letters(document[option] or ""):
            raise typer.BadParameter(
                "a PDF can show Latin letters only; write an .html file, or spell the name in"
                " Latin letters",
                param_hint=f"--{option}",
            )


def _written_row(name: str, file: Path, document: Document) -> WrittenStatement:
    from liveportal.domain.statement import seal_of

    seal = seal_of(document)
    return WrittenStatement(
        statement=name,
        file=str(file),
        net=document["summary"]["net"],
        currency=document["currency"],
        transactions=len(document["transactions"]),
        events=seal.events,
        head=seal.head,
        digest=seal.digest,
        payee=document["payee"],
        platform=document["platform"],
    )


def _new_file(name: str) -> Path:
    """Return the file of a statement for which no file was named; it must not exist yet."""
    path = Path(DEFAULT_FILE.format(name))
    if path.exists() or path.is_symlink():
        raise OutputFailed(
            f"The file {path} already exists.",
            hint=f"Name another file with -o, or replace it with -o {path}.",
        )
    return path


def writer_of(path: Path) -> Callable[[Document], bytes]:
    """Return the function that writes the format of a suffix; others are a usage error."""
    suffix = path.suffix.lower()
    if suffix in (".html", ".htm"):
        from liveportal.exports.statement_html import to_html

        return lambda document: to_html(document).encode()
    if suffix == ".csv":
        from liveportal.exports.statement_csv import to_csv

        return lambda document: to_csv(document).encode()
    if suffix == ".pdf":
        from liveportal.exports.statement_pdf import pdf

        return pdf
    raise typer.BadParameter(f"The name {path.name} must end in .html, .pdf or .csv.")


def _writes(path: Path, document: Document, content: bytes) -> bool:
    """Return True if a document gives the content of a file, in the format of the document."""
    from liveportal.domain.statement import FORM
    from liveportal.exports import statement_1

    if document["form"] == FORM:
        return writer_of(path)(document) == content
    write = statement_1.to_csv if path.suffix.lower() == ".csv" else statement_1.to_html
    return write(document).encode() == content


def verify_statement(reader: Reader, path: Path) -> str:
    """Verify a statement against the ledger, and return its month or year.

    Raises `UnreadableFile`, `NotAStatement`, `StatementChanged`.
    """
    from liveportal.domain.statement import seal_in
    from liveportal.ledger.queries.statement import document_of

    content = _read_statement(path)
    seal = seal_in(content.decode("utf-8", "replace"))
    if seal is None:
        raise NotAStatement(
            f"{path} is not a statement: it has no seal.",
            hint="Name a file that `liveportal earnings statement` wrote.",
            file=str(path),
        )
    document = document_of(reader, seal)
    if document is None:
        raise StatementChanged(
            f"This ledger does not have the figures that {path} shows for {seal.name}.",
            hint="The file is from another ledger, or one of the two was changed."
            + _old_format_hint(seal),
            file=str(path),
            statement=seal.name,
        )
    if not _writes(path, document, content) and not _is_rendered_differently(path, content):
        raise StatementChanged(
            f"{path} was changed after it was written. The ledger still has {seal.name} unchanged.",
            hint="Write it again with `liveportal earnings statement`.",
            file=str(path),
            statement=seal.name,
        )
    return seal.name


def _old_format_hint(seal: Seal) -> str:
    """Return a further explanation for a statement in the first format, without corrections."""
    from liveportal.domain.statement import FIRST_FORM

    if seal.form != FIRST_FORM:
        return ""
    return (
        " Statements with corrections have had another format since December 2026. If a version"
        " before that wrote it, write it again: `liveportal earnings statement`."
    )


def _read_statement(path: Path) -> bytes:
    check_input(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(LONGEST_FILE + 1)
    except OSError as error:
        raise unreadable(path, error.strerror) from None
    if len(content) > LONGEST_FILE:
        raise UnreadableFile(
            f"{path} is longer than {LONGEST_FILE} bytes.", hint="Check the path.", path=str(path)
        )
    return content


def _is_rendered_differently(path: Path, content: bytes) -> bool:
    """Return True for an intact PDF that differs only because another library version wrote it."""
    from liveportal.exports.statement_pdf import is_unchanged

    return path.suffix.lower() == ".pdf" and is_unchanged(content)
