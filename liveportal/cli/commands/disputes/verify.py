"""`liveportal dispute verify`: what an evidence pack proves, by itself and with the ledger.

`liveportal.cli.commands.disputes` adds this command to its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liveportal.cli.commands.disputes.evidence import Keep, Names, reads_of
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.view_model import Detail
from liveportal.cli.options import LedgerOption, OutputOptions, with_options
from liveportal.cli.read_command import reference_time
from liveportal.domain.errors import InvalidPack, LiveportalError, PackChanged
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.storage.ledger_paths import check_input

if TYPE_CHECKING:
    from liveportal.exports.comparing import Compared, Ledger
    from liveportal.exports.pack import Problem

VERIFIED = (
    *("file", "claim", "session", "files", "redacted", "events", "head", "in_ledger", "seal"),
    *("proved", "not_compared"),
)
SHOWN = VERIFIED[:-1]
PARTLY = "partly"


@with_options(LedgerOption, OutputOptions)
def verify(
    pack: Annotated[Path, typer.Argument(metavar="FILE", help="A pack that `evidence` wrote.")],
    ledger: LedgerOption,
    out: OutputOptions,
    keep: Keep = None,
    name: Names = None,
) -> None:
    """Check an evidence pack against its seal, and with --ledger against the ledger.

    Without the ledger it shows that the pack agrees with its seal, and no more: whoever can write a
    pack can seal another one. Compare the seal with the one that the expert gave you.

    With --ledger every event, figure, text and file is held against the journal; exit 6 names what
    is not the ledger's. `in_ledger` is then true, or `partly` where something could not be
    compared, which is named (`not_compared`). Repeat --keep and --name of a redacted pack.

    Examples:
      liveportal dispute verify case.zip
      liveportal dispute verify case.zip --ledger ledger.db --json
      liveportal dispute verify public.zip --ledger ledger.db --keep Ana
    """
    from liveportal.exports.evidence import PAGE_FILES, is_about
    from liveportal.exports.pack import contents, verify_pack

    check_output_possible(VERIFIED, out, spared=(*ledger.files, pack))
    check_input(pack)
    checked = verify_pack(pack)
    manifest = checked.manifest
    _refuse(pack, checked.problems)
    if not is_about(manifest):
        raise InvalidPack(f"{pack} is the pack of no claim", path=str(pack))
    if (keep or name) and not manifest["redacted"]:
        raise typer.BadParameter("--keep and --name belong to a redacted pack")
    texts = [item["file"] for item in manifest["items"]] if manifest["redacted"] else PAGE_FILES
    found = _in_ledger(manifest, lambda: contents(pack, texts), ledger, keep, name)
    if found is False and ledger.typed:
        _refuse(pack, _foreign(ledger.path))
    not_compared: Sequence[Problem] = ()
    answer: bool | str | None = None
    if isinstance(found, bool):
        answer = found
    elif found is not None:
        _refuse(pack, found.problems)
        not_compared = found.not_compared
        answer = PARTLY if not_compared else True
    row = {
        "file": str(pack),
        "claim": manifest["claim"],
        "session": manifest["session"],
        "files": len(manifest["items"]),
        "redacted": manifest["redacted"],
        "events": manifest["ledger"]["events"],
        "head": manifest["ledger"]["head"],
        "in_ledger": answer,
        "seal": checked.seal,
        "proved": _proved(answer, checked.seal, ledger.path),
        "not_compared": [{"file": each.file, "why": each.what} for each in not_compared]
        if answer
        else None,
    }
    render(Detail(VERIFIED, row, human=SHOWN, title="What the pack proves"), out)
    for each in not_compared:
        hint(f"Not compared: {each.file}: {each.what}.")


def _refuse(pack: Path, problems: Sequence[Problem]) -> None:
    """Raise `PackChanged` where there are problems."""
    if not problems:
        return
    first = problems[0]
    raise PackChanged(
        f"{pack} is not what was written: {first.file}: {first.what}",
        hint="Ask the sender for the pack again, or make it again from the ledger.",
        file=str(pack),
        problems=[{"file": each.file, "what": each.what} for each in problems],
    )


def _proved(answer: bool | str | None, seal: str, ledger: Path) -> str:
    """Return in a sentence what was proved, and nothing more."""
    if answer is True:
        return f"Every event, figure, text and file of the pack is what {ledger} gives."
    if answer == PARTLY:
        return f"What could be compared is what {ledger} gives; the rest is named as not compared."
    sealed = f"The pack agrees with seal {seal}. Compare it with what the expert gave you."
    return f"{sealed} It is not from {ledger}." if answer is False else sealed


def _foreign(ledger: Path) -> Sequence[Problem]:
    from liveportal.exports.pack import MANIFEST, Problem

    return [Problem(MANIFEST, f"its events are not those of {ledger}")]


def _in_ledger(
    manifest: Mapping[str, Any],
    texts: Callable[[], Mapping[str, bytes]],
    ledger: LedgerOption,
    keep: Sequence[str] | None,
    name: Sequence[str] | None,
) -> Compared | bool | None:
    """Hold a pack against the ledger; False where it is another's, None where none can be asked."""
    from liveportal.exports.comparing import Pack, compare
    from liveportal.ledger.verify.chain import are_in_journal

    wanted = ledger.typed or keep or name
    try:
        with open_readonly(ledger.path) as reader:
            if not are_in_journal(reader, manifest["events"], manifest["ledger"]):
                return False
        found = _ledger(manifest, ledger.path, keep, name)
    except LiveportalError:  # None is there, or one that has nothing to do with the pack is broken.
        if wanted:
            raise
        return None
    if found is None:
        return _no_claim()
    return compare(Pack(manifest, texts()), found)


def _no_claim() -> Compared:
    from liveportal.exports.comparing import Compared
    from liveportal.exports.pack import MANIFEST, Problem

    return Compared([Problem(MANIFEST, "the ledger had no such claim when it was made")], ())


def _ledger(
    manifest: Mapping[str, Any], path: Path, keep: Sequence[str] | None, name: Sequence[str] | None
) -> Ledger | None:
    """Return what the ledger gives as of the events of a pack; None where it has no such claim."""
    from liveportal.exports.comparing import Ledger, page_of
    from liveportal.exports.pages import CURRENT, people
    from liveportal.ledger.journal.erasure import forgotten_at
    from liveportal.ledger.queries.case import case as case_of

    last = manifest["ledger"]["events"]
    with open_readonly(path, last_seq=last) as reader:
        if reader.one("SELECT 1 FROM claim WHERE id = ?", manifest["claim"]) is None:
            return None
        case = case_of(reader, manifest["claim"], reference_time(reader))
    with open_readonly(path) as reader:
        forgotten = (forgotten_at(reader.db, case.customer) or 0) > last
    page = page_of(manifest) or CURRENT
    redact = people(page, case, keep or (), name or ()) if manifest["redacted"] else None
    return Ledger(case, redact, bool(keep or name), forgotten, reads_of(case))
