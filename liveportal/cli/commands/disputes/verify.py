"""`liveportal dispute verify`: verify an evidence pack, by itself and with the ledger.

Registered in `liveportal.cli.commands.disputes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liveportal.cli.commands.disputes.evidence import Keep, Names, transcript_reader
from liveportal.cli.io.hints import spell
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, with_options
from liveportal.cli.read_command import reference_time
from liveportal.domain.errors import InvalidPack, LiveportalError, PackChanged
from liveportal.domain.row import Row, columns, row
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.storage.ledger_paths import check_input

if TYPE_CHECKING:
    from liveportal.exports.comparing import Comparison, LedgerSide
    from liveportal.exports.pack import PackCheck, Problem

PARTLY = "partly"


@row
class Gap(Row):
    """A file of a pack that could not be compared with the ledger."""

    file: str
    why: str


@row
class VerifiedPack(Row):
    """The result of checking a pack; `in_ledger` is `partly` if something was not compared."""

    file: str
    claim: str
    session: str
    files: int
    redacted: bool
    events: int
    head: str
    in_ledger: bool | str | None
    seal: str
    proved: str
    not_compared: list[Gap] | None


HUMAN = columns(VerifiedPack)[:-1]


@shows(VerifiedPack)
@with_options(LedgerOption, OutputOptions)
def verify(
    pack: Annotated[
        Path, typer.Argument(metavar="FILE", help="A pack that `dispute evidence` wrote.")
    ],
    ledger: LedgerOption,
    out: OutputOptions,
    keep: Keep = None,
    name: Names = None,
) -> None:
    """Verify an evidence pack that you wrote or received.

    Without the ledger, the command checks only that the pack agrees with its seal. Anyone can write
    and seal a pack, so compare the seal with the one that the expert gave you.

    With --ledger, the command compares every event, figure, text and file with the ledger. If
    something differs, it names the file and exits with 6. `in_ledger` is true if everything agrees,
    and `partly` if some files could not be compared; `not_compared` lists them. For a redacted
    pack, repeat the --keep and --name that it was made with.

    Examples:
      liveportal dispute verify case.zip
      liveportal dispute verify case.zip --ledger ledger.db --json
      liveportal dispute verify public.zip --ledger ledger.db --keep Ana
    """
    from liveportal.exports.evidence import PAGE_FILES, has_manifest_fields
    from liveportal.exports.pack import read_members, verify_pack

    check_output_possible(VerifiedPack, out, spared=(*ledger.files, pack))
    check_input(pack)
    checked = verify_pack(pack)
    manifest = checked.manifest
    _raise_if_changed(pack, checked.problems)
    if not has_manifest_fields(manifest):
        raise InvalidPack(
            f"{pack} is not the evidence pack of a claim.",
            hint="Give a file that `liveportal dispute evidence` wrote.",
            path=str(pack),
        )
    if (keep or name) and not manifest["redacted"]:
        raise typer.BadParameter("--keep and --name can be used only for a redacted pack.")
    texts = [item["file"] for item in manifest["items"]] if manifest["redacted"] else PAGE_FILES
    comparison = _compare_with_ledger(
        manifest, lambda: read_members(pack, texts), ledger, keep, name
    )
    if comparison is False and ledger.typed:
        _raise_if_changed(pack, _foreign_problems(ledger.path))
    if comparison is not None and not isinstance(comparison, bool):
        _raise_if_changed(pack, comparison.problems)
    verified = _verified_row(pack, checked, comparison, ledger.path)
    render(Detail(VerifiedPack, verified, human=HUMAN, title="Evidence pack"), out)
    for gap in verified.not_compared or ():
        hint(f"{gap.file} was not compared: {gap.why}.")


def _verified_row(
    pack: Path, checked: PackCheck, comparison: Comparison | bool | None, ledger: Path
) -> VerifiedPack:
    """Return the result of checking a pack, by itself and against the ledger."""
    gaps: list[Gap] = []
    in_ledger: bool | str | None
    if comparison is None or isinstance(comparison, bool):
        in_ledger = comparison
    else:
        gaps = [Gap(file=gap.file, why=str(spell(gap.what))) for gap in comparison.not_compared]
        in_ledger = PARTLY if gaps else True
    manifest = checked.manifest
    return VerifiedPack(
        file=str(pack),
        claim=manifest["claim"],
        session=manifest["session"],
        files=len(manifest["items"]),
        redacted=manifest["redacted"],
        events=manifest["ledger"]["events"],
        head=manifest["ledger"]["head"],
        in_ledger=in_ledger,
        seal=checked.seal,
        proved=_proof_sentence(in_ledger, checked.seal, ledger),
        not_compared=gaps if in_ledger else None,
    )


def _raise_if_changed(pack: Path, problems: Sequence[Problem]) -> None:
    """Raise `PackChanged` if there are problems."""
    if not problems:
        return
    first = problems[0]
    raise PackChanged(
        f"{pack} was changed after it was written. {first.file}: {first.what}",
        hint="Ask the sender for the pack again, or write it again from the ledger.",
        file=str(pack),
        problems=[{"file": problem.file, "what": problem.what} for problem in problems],
    )


def _proof_sentence(answer: bool | str | None, seal: str, ledger: Path) -> str:
    """Return a sentence on what the check proved."""
    if answer is True:
        return f"Every event, figure, text and file of the pack agrees with {ledger}."
    if answer == PARTLY:
        return f"Everything that could be compared agrees with {ledger}; some files could not be."
    sealed = f"The pack agrees with the seal {seal}. Compare it with the seal from the expert."
    return f"{sealed} The pack was not made from {ledger}." if answer is False else sealed


def _foreign_problems(ledger: Path) -> Sequence[Problem]:
    from liveportal.exports.pack import MANIFEST, Problem

    return [Problem(MANIFEST, f"its events are not in {ledger}")]


def _compare_with_ledger(
    manifest: Mapping[str, Any],
    texts: Callable[[], Mapping[str, bytes]],
    ledger: LedgerOption,
    keep: Sequence[str] | None,
    name: Sequence[str] | None,
) -> Comparison | bool | None:
    """Compare a pack with the ledger; False if it is another ledger's, None if not comparable."""
    from liveportal.exports.comparing import Pack, compare
    from liveportal.ledger.verify.chain import are_in_journal

    is_required = ledger.typed or keep or name
    try:
        with open_readonly(ledger.path) as reader:
            if not are_in_journal(reader, manifest["events"], manifest["ledger"]):
                return False
        past_ledger = _ledger_as_of(manifest, ledger.path, keep, name)
    except LiveportalError:  # There is no ledger, or a broken one that is unrelated to the pack.
        if is_required:
            raise
        return None
    if past_ledger is None:
        return _missing_claim()
    return compare(Pack(manifest, texts()), past_ledger)


def _missing_claim() -> Comparison:
    from liveportal.exports.comparing import Comparison
    from liveportal.exports.pack import MANIFEST, Problem

    return Comparison([Problem(MANIFEST, "the ledger did not have the claim at that time")], ())


def _ledger_as_of(
    manifest: Mapping[str, Any], path: Path, keep: Sequence[str] | None, name: Sequence[str] | None
) -> LedgerSide | None:
    """Return the ledger's data as of the pack's last event; None if it has no such claim."""
    from liveportal.exports.comparing import LedgerSide, page_of
    from liveportal.exports.pages import CURRENT, case_redactor
    from liveportal.ledger.journal.erasure import last_erasure_seq
    from liveportal.ledger.queries.case import case as case_of

    last = manifest["ledger"]["events"]
    with open_readonly(path, last_seq=last) as reader:
        if reader.one("SELECT 1 FROM claim WHERE id = ?", manifest["claim"]) is None:
            return None
        case = case_of(reader, manifest["claim"], reference_time(reader))
    with open_readonly(path) as reader:
        forgotten = (last_erasure_seq(reader.db, case.customer) or 0) > last
    page = page_of(manifest) or CURRENT
    redact = case_redactor(page, case, keep or (), name or ()) if manifest["redacted"] else None
    return LedgerSide(case, redact, bool(keep or name), forgotten, transcript_reader(case))
