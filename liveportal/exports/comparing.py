"""Compare a pack with the ledger that it was made from, by writing everything in it again.

A manifest has the hash of every file, so two packs are equal byte for byte if their manifests are.
A difference means a change, unless the ledger can no longer write the text: because it was erased
since, or blacked out by names that are not given. Such a file is listed as not compared; even then
the lines without personal data must be present, and every hash must match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from liveportal.domain.case import Case, CaseFile
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.exports.evidence import (
    LARGEST_FILE,
    PAGE_FILES,
    TEXT_FILES,
    UNKNOWN_TYPE,
    manifest_fields,
    pack_entries,
    texts,
)
from liveportal.exports.exhibits import (
    SHOWS,
    TEXT_FIELDS,
    ExhibitRules,
    TextReader,
    exhibit_files,
    prefix,
    redact_case,
)
from liveportal.exports.pack import MANIFEST, Problem, item_of, manifest_of
from liveportal.exports.pages import CURRENT, FIRST, PAGES, Page, Redact
from liveportal.exports.redaction import visible
from liveportal.exports.redaction_1 import BLACK

_SIZE_LIMIT = re.compile(rb"larger than ([0-9]{1,18}) bytes")
_LINE_BREAK = re.compile(r"\n|(?=<dt>)|(?=</dl>)")
_PLACEHOLDERS = ("\ue000", "\ue001")
"""Two stand-ins for unknown texts: a line that is equal with both has no unknown text."""

Manifest = Mapping[str, Any]


@frozen
class Pack:
    """A pack that matches its seal: its manifest and its texts (of a redacted pack, all files)."""

    manifest: Manifest
    texts: Mapping[str, bytes]


@frozen
class LedgerSide:
    """The ledger's side of a comparison: the case as of the pack's last event.

    `redact` blacks out the people of a redacted pack; `named` is True if their names were
    given. `forgotten` is True if the customer was forgotten since.
    """

    case: Case
    redact: Redact | None
    named: bool
    forgotten: bool
    reads: TextReader


@frozen
class Comparison:
    """The differences between a pack and the ledger, and the files that could not be compared."""

    problems: Sequence[Problem]
    not_compared: Sequence[Problem]


def page_of(manifest: Manifest) -> Page | None:
    """Return the page format that a manifest names, or None if this version does not know it."""
    return PAGES.get(manifest.get("page", FIRST))


def compare(pack: Pack, ledger: LedgerSide) -> Comparison:
    """Compare a pack with the one that the ledger would give."""
    page = page_of(pack.manifest)
    attempts = []
    for case in _cases_as_packed(ledger.case, pack.manifest):
        for largest in _possible_limits(pack):
            rules = ExhibitRules(page or CURRENT, largest, ledger.redact, ledger.reads)
            expected = _Expected(case, rules, _expected_manifest(case, rules))
            differences = list(_manifest_differences(expected.manifest, pack.manifest))
            if not differences and page:
                return Comparison((), ())
            attempts.append((len(differences), expected, differences))
    _, expected, differences = min(attempts, key=lambda attempt: attempt[0])
    if page is None:
        number = pack.manifest["page"]
        return _compare_partly(pack, expected, f"this version does not know page format {number}")
    if (reason := _why_incomparable(ledger, pack)) is not None:
        return _compare_partly(pack, expected, reason, lines=True, forgotten=ledger.forgotten)
    return Comparison([_with_line_number(problem, pack, expected) for problem in differences], ())


def _possible_limits(pack: Pack) -> list[int]:
    """Return the possible sizes of the largest file; the first format has it on its page only."""
    if "largest" in pack.manifest:
        return [pack.manifest["largest"]]
    limits = {
        int(limit)
        for name in PAGE_FILES
        for limit in _SIZE_LIMIT.findall(pack.texts.get(name, b""))
    }
    return [LARGEST_FILE, *sorted(limits - {LARGEST_FILE})[:3]]


def _cases_as_packed(case: Case, manifest: Manifest) -> Iterator[Case]:
    """Yield the case with the files that may have been in the vault when the pack was made.

    A file in the pack was in the vault: its hash is compared with the journal's. A file that the
    pack lacks, and that no command had attached by then, may have been added to the vault later.
    """
    names = [item["file"] for item in manifest["items"]]
    packed = [
        any(name.startswith(prefix(number)) for name in names)
        for number, _ in enumerate(case.kept, 1)
    ]
    with_packed_files = [
        replace(artifact, path=artifact.path or Path())
        if is_packed and not manifest["redacted"]
        else artifact
        for artifact, is_packed in zip(case.kept, packed, strict=True)
    ]
    yield replace(case, kept=with_packed_files)
    without_later_files = [
        artifact if is_packed or artifact.attached else replace(artifact, path=None)
        for artifact, is_packed in zip(with_packed_files, packed, strict=True)
    ]
    if without_later_files != with_packed_files:
        yield replace(case, kept=without_later_files)


class _Expected(NamedTuple):
    """What the pack should contain: the case, the rules that it is written by, and the manifest."""

    case: Case
    rules: ExhibitRules
    manifest: Manifest


def _expected_manifest(case: Case, rules: ExhibitRules) -> Manifest:
    """Return the manifest that the ledger gives. The hashes of whole files are in the journal."""
    hashes = {
        file.exhibit.file: (file.kept.sha256, file.kept.bytes)
        for file in exhibit_files(case, rules)
        if file.redacted is None
    }
    items = []
    for entry in pack_entries(case, rules):
        if entry.name in hashes:
            item = item_of(replace(entry, content=b""))
            item["sha256"], item["bytes"] = hashes[entry.name]
        else:
            item = item_of(entry)
        items.append(item)
    return manifest_of(items, manifest_fields(case, rules))


# --- differences ----------------------------------------------------------------------------------


def _manifest_differences(expected: Manifest, actual: Manifest) -> Iterator[Problem]:
    """Yield the differences between two manifests, each with the file that it concerns."""
    for name in sorted({*expected, *actual} - {"items", "events"}):
        if expected.get(name) != actual.get(name):
            yield Problem(MANIFEST, f"its `{_printable(name)}` differs from the ledger")
    yield from _event_differences(expected["events"], actual["events"])
    ours = {item["file"]: item for item in expected["items"]}
    theirs = {item["file"]: item for item in actual["items"]}
    for name in sorted({*ours, *theirs}):
        if name not in theirs:
            yield Problem(name, "it is missing")
        elif name not in ours:
            yield Problem(name, "the ledger has no such file")
        elif ours[name]["sha256"] != theirs[name].get("sha256"):
            yield Problem(name, "it differs from the ledger")
        elif ours[name] != theirs[name]:
            fields = {*ours[name], *theirs[name]}
            field_names = sorted(f for f in fields if ours[name].get(f) != theirs[name].get(f))
            names = "`, `".join(map(_printable, field_names))
            yield Problem(MANIFEST, f"its `{names}` of {name} differ from the ledger")


def _event_differences(
    expected: Sequence[Manifest], actual: Sequence[Manifest], unknown: Sequence[str] = ()
) -> Iterator[Problem]:
    """Yield the differences between two lists of events; `unknown` fields may be blacked out."""
    if len(expected) != len(actual):
        yield Problem(
            MANIFEST, f"it lists {len(actual)} events, and the ledger has {len(expected)}"
        )
        return
    for ours, theirs in zip(expected, actual, strict=True):
        for name in sorted({*ours, *theirs}):
            is_black = name in unknown and BLACK in str(theirs.get(name))
            if ours.get(name) != theirs.get(name) and not is_black:
                yield Problem(
                    MANIFEST, f"`{_printable(name)}` of event {ours['seq']} differs from the ledger"
                )


def _with_line_number(problem: Problem, pack: Pack, expected: _Expected) -> Problem:
    """Return a problem; if it is in a page, with the number of the first line that differs."""
    if problem.file not in PAGE_FILES or problem.file not in pack.texts:
        return problem
    case, rules = expected.case, expected.rules
    shown = case
    if rules.redact:
        shown = redact_case(case, rules.redact, guessable=rules.page.guessable)
    ours = texts(shown, exhibit_files(case, rules), rules.page)[problem.file].split(b"\n")
    theirs = pack.texts[problem.file].split(b"\n")
    pairs = enumerate(zip_longest(ours, theirs), 1)
    number = next((n for n, (one, two) in pairs if one != two), 0)
    return Problem(problem.file, f"line {number} differs from the ledger")


def _printable(name: str) -> str:
    """Return the name of a field in printable ASCII: in a forged pack it may be any text."""
    return ascii(name)[1:-1][:60]


# --- partial comparison ---------------------------------------------------------------------------


def _why_incomparable(ledger: LedgerSide, pack: Pack) -> Hint | str | None:
    """Return why the ledger cannot write the whole pack again, or None if it can."""
    if ledger.forgotten:
        return "the customer was forgotten after the pack was made, so their words are erased"
    if pack.manifest["redacted"]:
        if not ledger.named:
            return Hint(
                "names are blacked out in it: repeat {the_kept_words} and {the_name} of the pack"
            )
        if any(artifact.path is None for artifact in ledger.case.kept if artifact.attached):
            return "files that were blacked out are no longer in the vault"
    return None


def _compare_partly(
    pack: Pack,
    expected: _Expected,
    reason: Hint | str,
    *,
    lines: bool = False,
    forgotten: bool = False,
) -> Comparison:
    """Compare what can be compared: facts, hashes, text that is not blacked out, impersonal lines.

    Texts are compared only with `lines`, which is False for an unknown page format.
    """
    items = pack.manifest["items"]
    problems = list(_fact_problems(expected, pack.manifest, known=lines))
    ours = {item["file"]: item for item in expected.manifest["items"]}
    unredacted = _unredacted_texts(pack, expected) if lines and not forgotten else {}
    not_compared = []
    for item in items:
        name, artifact = item["file"], _artifact_of(item, expected)
        problems += _file_problems(item, artifact, redacted=pack.manifest["redacted"])
        if lines:
            problems += _item_problems(item, artifact, expected)
        if (artifact is None or pack.manifest["redacted"]) and item != ours.get(name):
            not_compared.append(Problem(name, reason))
            problems += _text_problems(name, pack, expected, unredacted) if lines else ()
    packed_numbers = {_without_name(item["file"]) for item in items}
    missing = [name for name in ours if _without_name(name) not in packed_numbers]
    problems += [Problem(name, "it is missing") for name in missing if lines]
    return Comparison(problems, not_compared or [Problem(MANIFEST, reason)])


def _without_name(name: str) -> str:
    """Return a file's path without the name, which may be personal: `files/01`."""
    return name.partition("-")[0] if name.startswith("files/") else name


def _artifact_of(item: Manifest, expected: _Expected) -> CaseFile | None:
    """Return the artifact of an item, or None for the texts that are written for the pack."""
    numbers = enumerate(expected.case.kept, 1)
    return next((artifact for n, artifact in numbers if item["file"].startswith(prefix(n))), None)


def _file_problems(
    item: Manifest, artifact: CaseFile | None, *, redacted: bool
) -> Iterator[Problem]:
    """Yield a problem if a file is not in the ledger, or not with this hash."""
    if artifact is None and item["file"] not in TEXT_FILES:
        yield Problem(item["file"], "the ledger has no such file")
    elif artifact is not None and not redacted and item["sha256"] != artifact.sha256:
        yield Problem(item["file"], "it differs from the file in the ledger")


def _text_problems(
    name: str, pack: Pack, expected: _Expected, unredacted: Mapping[str, bytes]
) -> Iterator[Problem]:
    """Yield a problem if a text differs in more than the parts that are unknown."""
    if name in unredacted:
        if not is_blacked_out(pack.texts.get(name, b""), unredacted[name]):
            yield Problem(name, "it differs from the ledger in more than the blacked out names")
    elif name in PAGE_FILES and not _has_fixed_lines(name, pack, expected):
        yield Problem(name, "a line without personal data differs from the ledger")


def _item_problems(
    item: Manifest, artifact: CaseFile | None, expected: _Expected
) -> Iterator[Problem]:
    """Yield a problem if an item has wrong fields, apart from those that its content decides."""
    shows, media_type = TEXT_FILES.get(item["file"], ("", ""))
    if artifact is not None:
        shows, media_type = SHOWS[artifact.kind], artifact.media_type or UNKNOWN_TYPE
    types = {media_type, UNKNOWN_TYPE} if expected.rules.redact else {media_type}
    known = {"file", "bytes", "sha256", "media_type", "shows"}
    if expected.rules.redact and expected.rules.page.guessable:
        known.add("original_sha256")
    is_right = item.get("shows") == shows and item.get("media_type") in types
    if not is_right or not item.keys() <= known:
        yield Problem(MANIFEST, f"its description of {item['file']} differs from the ledger")


def _fact_problems(expected: _Expected, actual: Manifest, *, known: bool) -> Iterator[Problem]:
    """Yield the wrong facts of a manifest; for an unknown format only those of every format."""
    names = {*expected.manifest, *actual} if known else {"claim", "session", "redacted", "ledger"}
    for name in sorted(names - {"items", "events"}):
        if expected.manifest.get(name) != actual.get(name):
            yield Problem(MANIFEST, f"its `{_printable(name)}` differs from the ledger")
    unknown = ("source", "id") if actual["redacted"] else ()
    yield from _event_differences(expected.manifest["events"], actual["events"], unknown)


class _NoRedaction:
    """A `Redact` that blacks out no names."""

    def __call__(self, text: str) -> str:
        return text

    def document(self, text: str) -> str:
        return visible(text)

    def finds_name(self, _text: str) -> bool:
        return False


def _unredacted_texts(pack: Pack, expected: _Expected) -> dict[str, bytes]:
    """Return the texts of a redacted pack as they were before redaction.

    Empty if one of its files is no longer in the vault.
    """
    page, items = expected.rules.page, {item["file"]: item for item in pack.manifest["items"]}
    case = redact_case(expected.case, _NoRedaction(), guessable=page.guessable)
    files = []
    for number, file in enumerate(
        exhibit_files(case, replace(expected.rules, redact=_NoRedaction())), 1
    ):
        item = next((items[name] for name in items if name.startswith(prefix(number))), None)
        if item is None:
            files.append(file)
            continue
        if file.redacted is None:
            return {}
        exhibit = replace(file.exhibit, file=item["file"])
        if not page.guessable:
            exhibit = replace(exhibit, bytes=item["bytes"], sha256=item["sha256"])
        files.append(replace(file, exhibit=exhibit))
    unredacted = texts(case, files, page)
    return unredacted | {
        file.exhibit.file or "": file.redacted for file in files if file.redacted is not None
    }


def is_blacked_out(redacted: bytes, original: bytes) -> bool:
    """Return True if the first text is the second one with parts blacked out."""
    text = original.decode()
    first, *parts = redacted.decode("utf-8", "replace").replace(f'"{BLACK}"', BLACK).split(BLACK)
    if not parts or not text.startswith(first):
        return text == first
    *parts, last = parts
    position = len(first)
    for part in parts:
        if (start := text.find(part, position)) < 0:
            return False
        position = start + len(part)
    return text.endswith(last) and position <= len(text) - len(last)


def _has_fixed_lines(name: str, pack: Pack, expected: _Expected) -> bool:
    """Return True if a page has, in order, all lines that do not depend on erased texts."""
    one, two = (_texts_with_placeholder(expected, mark)[name].decode() for mark in _PLACEHOLDERS)
    pairs = zip(_LINE_BREAK.split(one), _LINE_BREAK.split(two), strict=True)
    theirs = iter(_LINE_BREAK.split(pack.texts[name].decode("utf-8", "replace")))
    return all(line in theirs for line, other in pairs if line == other)


def _texts_with_placeholder(expected: _Expected, placeholder: str) -> dict[str, bytes]:
    """Return the texts of a pack with a placeholder for every text that may be personal."""
    case = expected.case
    text_fields = dict.fromkeys(TEXT_FIELDS, placeholder)
    marked = replace(
        case,
        reason=placeholder,
        summary=placeholder,
        title=placeholder,
        customer=placeholder,
        customer_name=placeholder,
        events=[replace(item, data={**item.data, **text_fields}) for item in case.events],
        messages=[replace(item, speaker=placeholder, text=placeholder) for item in case.messages],
        kept=[replace(artifact, name=placeholder) for artifact in case.kept],
    )
    rules = expected.rules
    return texts(marked, exhibit_files(marked, replace(rules, redact=None)), rules.page)
