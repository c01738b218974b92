"""`liveportal dispute evidence` and `verify`: packs that prove what happened.

`liveportal.cli.dispute` adds these commands to its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from liveportal.cli.looking import moment, windows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.outputs import check_target, opened_bytes
from liveportal.cli.render import hint, ready, render
from liveportal.cli.results import Item
from liveportal.domain.case import Case
from liveportal.domain.errors import InvalidPack, LiveportalError, PackChanged
from liveportal.ledger.belonging import check_input
from liveportal.ledger.opening import reading

PACKED = ("claim", "session", "file", "files", "withheld", "redacted", "events", "head", "seal")
VERIFIED = (
    *("file", "claim", "session", "files", "redacted", "events", "head", "in_ledger", "seal"),
)
Names = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="NAME", help="Another name to black out; repeatable."),
]


@with_options(LedgerOption, ReadOptions, OutputOptions)
def evidence(
    claim: Annotated[
        str, typer.Argument(metavar="CLAIM", help="A claim, whole or by a unique prefix.")
    ],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    redact: Annotated[
        bool, typer.Option("--redact", help="Black out other people: names, addresses, numbers.")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="NAME", help="A speaker not to black out: yourself."),
    ] = None,
    name: Names = None,
    largest: Annotated[
        int,
        typer.Option("--largest", min=0, metavar="MB", help="Of larger files only the hash."),
    ] = 100,
) -> None:
    """Write a pack that proves what happened: timeline, bill, transcript, files, hashes.

    It is a ZIP archive with a page for a browser (index.html) and the same as text. The same ledger
    gives the same bytes; `dispute verify` finds any that was changed. -o names the pack; without
    it, it is CLAIM.zip.

    Examples:
      liveportal dispute evidence CL-1 -o case.zip
      liveportal dispute evidence CL-1 --redact --keep Ana -o public.zip
    """
    from liveportal.exports import evidence as exports
    from liveportal.exports.pack import write_pack
    from liveportal.exports.redaction import redactor
    from liveportal.ledger.vault import Vault
    from liveportal.ledger.windows.case import case as case_of

    if out.output == Path("-"):
        raise typer.BadParameter("a pack is a file: name it", param_hint="--output")
    if (keep or name) and not redact:
        raise typer.BadParameter("--keep and --name belong to --redact")
    shown = replace(out, output=None)
    ready(PACKED, shown)
    with windows(ledger, read, out) as reader:
        case = case_of(reader, reader.known("claim", claim), moment(reader))
        vault = Vault(reader.path)
    limit = largest * 1_000_000
    for kept in case.kept:
        if kept.path is not None and kept.bytes <= limit:
            vault.check(kept.sha256)  # What is sealed must be what was attached.
    # To Windows a colon names a drive, or a stream of a file.
    target = out.output or Path(f"{case.claim.replace(':', '-')}.zip")
    check_target(target, ledger.files)
    black = redactor(_people(case, keep or (), name or ())) if redact else None
    found = exports.parts(case, redact=black, largest=limit)
    about = exports.about(case, redacted=redact)
    with opened_bytes(target) as stream:
        seal = write_pack(stream, found, about)
    row = {
        "claim": case.claim,
        "session": case.session.id,
        "file": str(target),
        "files": len(found),
        "withheld": len(case.kept) - sum(part.name.startswith("files/") for part in found),
        "redacted": redact,
        "events": case.journal_length,
        "head": case.head,
        "seal": seal,
    }
    render(Item(PACKED, row), shown)
    hint(f"Check it with `liveportal dispute verify {target}`.")


def _people(case: Case, keep: Sequence[str], more: Sequence[str]) -> set[str]:
    """Return whose names are blacked out: the customer's, and every speaker's but one's own."""
    kept = {each.casefold() for each in keep}
    names = {each.speaker for each in case.messages if each.speaker} | set(more)
    if case.customer_name:
        names.add(case.customer_name)
    return {each for each in names if each.casefold() not in kept}


@with_options(LedgerOption, OutputOptions)
def verify(
    pack: Annotated[Path, typer.Argument(metavar="FILE", help="A pack that `evidence` wrote.")],
    ledger: LedgerOption,
    out: OutputOptions,
) -> None:
    """Prove that nothing in an evidence pack was changed; exit 6 names each file that was.

    No ledger is needed. Where there is one, it also tells whether the events of the pack stand in
    its journal (`in_ledger`); with --ledger they must.

    Examples:
      liveportal dispute verify case.zip
      liveportal dispute verify case.zip --ledger ledger.db --json
    """
    from liveportal.exports.evidence import is_about
    from liveportal.exports.pack import MANIFEST, Problem, verify_pack

    ready(VERIFIED, out, spared=(*ledger.files, pack))
    check_input(pack)
    checked = verify_pack(pack)
    manifest, problems = checked.manifest, checked.problems
    if not problems and not is_about(manifest):
        raise InvalidPack(f"{pack} is the pack of no claim", path=str(pack))
    there = None if problems else _in_ledger(manifest, ledger)
    if there is False and ledger.typed:
        problems = [Problem(MANIFEST, f"its events are not those of {ledger.path}")]
    if problems:
        first = problems[0]
        raise PackChanged(
            f"{pack} is not what was written: {first.file}: {first.what}",
            hint="Ask whoever sent it for the pack again, or write it anew.",
            file=str(pack),
            problems=[{"file": each.file, "what": each.what} for each in problems],
        )
    row = {
        "file": str(pack),
        "claim": manifest.get("claim"),
        "session": manifest.get("session"),
        "files": len(manifest["items"]),
        "redacted": manifest.get("redacted"),
        "events": manifest["ledger"]["events"],
        "head": manifest["ledger"]["head"],
        "in_ledger": there,
        "seal": checked.seal,
    }
    render(Item(VERIFIED, row, title="Nothing was changed"), out)


def _in_ledger(manifest: Mapping[str, Any], ledger: LedgerOption) -> bool | None:
    """Tell whether a pack's events stand in the ledger; None where no ledger can be asked."""
    from liveportal.ledger.windows.case import stands

    try:
        with reading(ledger.path) as reader:
            return stands(reader, manifest["events"], manifest["ledger"])
    except LiveportalError:  # None is there, or one that has nothing to do with the pack is broken.
        if ledger.typed:
            raise
        return None
