"""`liveportal dispute evidence`: write an evidence pack.

Registered in `liveportal.cli.commands.disputes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.completion import ids
from liveportal.cli.io.output_file import check_target, open_output_bytes
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import open_reader, reference_time
from liveportal.domain.case import Case
from liveportal.domain.clock import FIRST
from liveportal.domain.row import Row, row

if TYPE_CHECKING:
    from liveportal.exports.exhibits import ExhibitRules


@row
class WrittenPack(Row):
    """An evidence pack that was written, with its seal."""

    claim: str
    session: str
    file: str
    files: int
    withheld: int
    redacted: bool
    events: int
    head: str
    seal: str


Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="NAME", help="A name to keep, such as your own; repeatable."),
]
Names = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="NAME", help="One more name to black out; repeatable."),
]


@shows(WrittenPack)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def evidence(
    claim: Annotated[
        str,
        typer.Argument(
            metavar="CLAIM",
            help="The claim's id or its session's id, or a unique prefix.",
            autocompletion=ids("claim"),
        ),
    ],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    redact: Annotated[
        bool,
        typer.Option("--redact", help="Black out other people's names and contacts."),
    ] = False,
    keep: Keep = None,
    name: Names = None,
    largest: Annotated[
        int,
        typer.Option(
            "--largest",
            min=0,
            metavar="MB",
            help="Leave out larger files.",
        ),
    ] = 100,
) -> None:
    """Write an evidence pack for the reviewer of a dispute.

    The pack has the events, the bill, the transcript and your files. It is a ZIP archive with a
    page for a browser (index.html) and the same page as text (index.md). It speaks of you as "the
    expert", spells out the platform's rules, and explains how to check the pack. The same ledger
    gives the same bytes. Without -o, the pack is CLAIM.zip.

    The answer shows the seal of the pack. Send it to the reviewer separately from the pack, so
    that they can check that nothing was changed. --redact also blacks out names in file names and
    encoded spellings, and leaves out files that it cannot read. Read the pack before you send it.

    Examples:
      liveportal dispute evidence CL-1 -o case.zip
      liveportal dispute evidence CL-1 --redact --keep Ana -o public.zip
    """
    from liveportal.exports.exhibits import ExhibitRules
    from liveportal.exports.pages import CURRENT, case_redactor
    from liveportal.ledger.attachments.vault import Vault
    from liveportal.ledger.queries.case import case as case_of
    from liveportal.ledger.queries.claims import resolve_claim

    if out.output == Path("-"):
        raise typer.BadParameter("a pack needs a file name", param_hint="--output")
    if (keep or name) and not redact:
        raise typer.BadParameter("--keep and --name can be used only with --redact.")
    result_options = replace(out, output=None)
    check_output_possible(WrittenPack, result_options)
    with open_reader(ledger, read, out) as reader:
        case = case_of(reader, resolve_claim(reader, claim), reference_time(reader))
        vault = Vault(reader.path)
    limit = largest * 1_000_000
    for attached in case.kept:
        if attached.path is not None and attached.bytes <= limit:
            vault.check(attached.sha256)  # The file must be the one that was attached.
    # On Windows a colon separates a drive or a stream from the file's name.
    target = out.output or Path(f"{case.claim.replace(':', '-')}.zip")
    check_target(target, ledger.files)
    redaction = case_redactor(CURRENT, case, keep or (), name or ()) if redact else None
    rules = ExhibitRules(CURRENT, limit, redaction, transcript_reader(case))
    written = _write_pack(case, rules, target)
    render(Detail(WrittenPack, written), result_options)
    hint(f"Send the reviewer this seal, separately from the pack: {written.seal}")


def _write_pack(case: Case, rules: ExhibitRules, target: Path) -> WrittenPack:
    from liveportal.exports import evidence as exports
    from liveportal.exports.pack import write_pack

    parts = exports.pack_entries(case, rules)
    about = exports.manifest_fields(case, rules)
    with open_output_bytes(target) as stream:
        seal = write_pack(stream, parts, about)
    return WrittenPack(
        claim=case.claim,
        session=case.session.id,
        file=str(target),
        files=len(parts),
        withheld=len(case.kept) - sum(part.name.startswith("files/") for part in parts),
        redacted=rules.redact is not None,
        events=case.journal_length,
        head=case.head,
        seal=seal,
    )


def transcript_reader(case: Case) -> Callable[[bytes, str], str]:
    """Return a function that extracts the text of a transcript file of a case."""
    from liveportal.feeds.transcripts import read

    start = case.session.start or case.session.planned_start or FIRST

    def extract_text(content: bytes, name: str) -> str:
        transcript = read(BytesIO(content), name, began=start, timezone=case.zone)
        return "\n".join(f"{m.speaker or ''}: {m.text}" for m in transcript.messages)

    return extract_text
