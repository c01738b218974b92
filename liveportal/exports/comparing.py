"""A pack held against the ledger that it was made from: everything in it is written again.

A manifest has the hash of every file, so that two packs are the same, byte for byte, if their
manifests are. What differs was changed, unless the ledger cannot say any more what it was: words
that were erased since, or blacked out by names that were not given. That is named as not compared;
even then the lines that hold nothing personal must be there, and so must every hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from liveportal.domain.case import Case, Kept
from liveportal.exports.evidence import (
    LARGEST_FILE,
    PAGE_FILES,
    TEXT_FILES,
    UNKNOWN_TYPE,
    about,
    parts,
    texts,
)
from liveportal.exports.exhibits import SHOWS, TEXTS, Reads, Rules, blackened, filed, prefix
from liveportal.exports.pack import MANIFEST, Problem, item_of, manifest_of
from liveportal.exports.pages import CURRENT, FIRST, PAGES, Page, Redact
from liveportal.exports.redaction import visible
from liveportal.exports.redaction_1 import BLACK

_LARGER = re.compile(rb"larger than ([0-9]{1,18}) bytes")
_LINE = re.compile(r"\n|(?=<dt>)|(?=</dl>)")
_ERASED = ("\ue000", "\ue001")
"""Two texts in the place of what is not known: a line that both give alike has nothing of it."""

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that agrees with its seal: its manifest, and its texts, of a redacted one all."""

    manifest: Manifest
    texts: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the ledger gives for a pack: the case as of the pack's events, and what it lacks now.

    `redact` blacks out the people of a redacted pack; `named` is whether somebody said who they
    are. `forgotten` is whether the customer was forgotten since.
    """

    case: Case
    redact: Redact | None
    named: bool
    forgotten: bool
    reads: Reads


@dataclass(frozen=True, slots=True)
class Compared:
    """What of a pack is not what the ledger gives, and what could not be compared with it."""

    problems: Sequence[Problem]
    not_compared: Sequence[Problem]


def page_of(manifest: Manifest) -> Page | None:
    """Return the page format that a manifest names; None for one of a later version."""
    return PAGES.get(manifest.get("page", FIRST))


def compare(pack: Pack, ledger: Ledger) -> Compared:
    """Hold everything in a pack against what the ledger gives for it."""
    page = page_of(pack.manifest)
    tried = []
    for case in _as_packed(ledger.case, pack.manifest):
        for largest in _largest(pack):
            rules = Rules(page or CURRENT, largest, ledger.redact, ledger.reads)
            given = _Given(case, rules, _manifest(case, rules))
            found = list(_differences(given.manifest, pack.manifest))
            if not found and page:
                return Compared((), ())
            tried.append((len(found), given, found))
    _, given, found = min(tried, key=lambda one: one[0])
    if page is None:
        number = pack.manifest["page"]
        return _partly(pack, given, f"page format {number} is not known to this version")
    if (why := _why_unknown(ledger, pack)) is not None:
        return _partly(pack, given, why, lines=True, forgotten=ledger.forgotten)
    return Compared([_located(each, pack, given) for each in found], ())


def _largest(pack: Pack) -> list[int]:
    """Return what --largest may have been; the first format named it on its page only."""
    if "largest" in pack.manifest:
        return [pack.manifest["largest"]]
    told = {int(each) for name in PAGE_FILES for each in _LARGER.findall(pack.texts.get(name, b""))}
    return [LARGEST_FILE, *sorted(told - {LARGEST_FILE})[:3]]


def _as_packed(case: Case, manifest: Manifest) -> Iterator[Case]:
    """Yield the case with its files as they were when the pack was made, as far as can be known.

    What the pack has was there: its hash is held against the journal's. What it lacks and no
    command had attached by then may have come into the vault later.
    """
    names = [item["file"] for item in manifest["items"]]
    packed = [
        any(name.startswith(prefix(number)) for name in names)
        for number, _ in enumerate(case.kept, 1)
    ]
    there = [
        replace(kept, path=kept.path or Path()) if has and not manifest["redacted"] else kept
        for kept, has in zip(case.kept, packed, strict=True)
    ]
    yield replace(case, kept=there)
    before = [
        kept if has or kept.attached else replace(kept, path=None)
        for kept, has in zip(there, packed, strict=True)
    ]
    if before != there:
        yield replace(case, kept=before)


class _Given(NamedTuple):
    """What the ledger gives: the case, by which rules it is written, and the manifest."""

    case: Case
    rules: Rules
    manifest: Manifest


def _manifest(case: Case, rules: Rules) -> Manifest:
    """Return the manifest that the ledger gives. Of whole files the journal has the hashes."""
    hashes = {
        each.exhibit.file: (each.kept.sha256, each.kept.bytes)
        for each in filed(case, rules)
        if each.black is None
    }
    items = []
    for part in parts(case, rules):
        if part.name in hashes:
            item = item_of(replace(part, content=b""))
            item["sha256"], item["bytes"] = hashes[part.name]
        else:
            item = item_of(part)
        items.append(item)
    return manifest_of(items, about(case, rules))


# --- what differs ---------------------------------------------------------------------------------


def _differences(given: Manifest, found: Manifest) -> Iterator[Problem]:
    """Yield what differs between two manifests, each under the file that it is of."""
    for name in sorted({*given, *found} - {"items", "events"}):
        if given.get(name) != found.get(name):
            yield Problem(MANIFEST, f"its `{_shown(name)}` is not what the ledger gives")
    yield from _event_differences(given["events"], found["events"])
    ours = {item["file"]: item for item in given["items"]}
    theirs = {item["file"]: item for item in found["items"]}
    for name in sorted({*ours, *theirs}):
        if name not in theirs:
            yield Problem(name, "it is missing")
        elif name not in ours:
            yield Problem(name, "the ledger gives no such file")
        elif ours[name]["sha256"] != theirs[name].get("sha256"):
            yield Problem(name, "it is not what the ledger gives")
        elif ours[name] != theirs[name]:
            fields = {*ours[name], *theirs[name]}
            wrong = sorted(f for f in fields if ours[name].get(f) != theirs[name].get(f))
            what = f"its `{'`, `'.join(map(_shown, wrong))}` of {name} are not the ledger's"
            yield Problem(MANIFEST, what)


def _event_differences(
    given: Sequence[Manifest], found: Sequence[Manifest], unknown: Sequence[str] = ()
) -> Iterator[Problem]:
    """Yield what differs between two lists of events; `unknown` fields may be blacked out."""
    if len(given) != len(found):
        yield Problem(MANIFEST, f"it lists {len(found)} events, and the ledger gives {len(given)}")
        return
    for ours, theirs in zip(given, found, strict=True):
        for name in sorted({*ours, *theirs}):
            is_black = name in unknown and BLACK in str(theirs.get(name))
            if ours.get(name) != theirs.get(name) and not is_black:
                yield Problem(
                    MANIFEST, f"`{_shown(name)}` of event {ours['seq']} is not the ledger's"
                )


def _located(problem: Problem, pack: Pack, given: _Given) -> Problem:
    """Return a problem of a page with the line that it is in."""
    if problem.file not in PAGE_FILES or problem.file not in pack.texts:
        return problem
    case, rules = given.case, given.rules
    shown = case
    if rules.redact:
        shown = blackened(case, rules.redact, guessable=rules.page.guessable)
    ours = texts(shown, filed(case, rules), rules.page)[problem.file].split(b"\n")
    theirs = pack.texts[problem.file].split(b"\n")
    pairs = enumerate(zip_longest(ours, theirs), 1)
    number = next((n for n, (one, two) in pairs if one != two), 0)
    return Problem(problem.file, f"line {number} is not what the ledger gives")


def _shown(name: str) -> str:
    """Return the name of a field as a sentence can hold it: a forger chooses it freely."""
    return ascii(name)[1:-1][:60]


# --- what cannot be compared ----------------------------------------------------------------------


def _why_unknown(ledger: Ledger, pack: Pack) -> str | None:
    """Return why the ledger cannot write all of a pack again; None where it can."""
    if ledger.forgotten:
        return "the customer was forgotten since then, and their words are erased"
    if pack.manifest["redacted"]:
        if not ledger.named:
            return "names were blacked out that were not given: repeat --keep and --name"
        if any(kept.path is None for kept in ledger.case.kept if kept.attached):
            return "files that were blacked out are not in the vault any more"
    return None


def _partly(
    pack: Pack, given: _Given, why: str, *, lines: bool = False, forgotten: bool = False
) -> Compared:
    """Compare what can be: facts, hashes, what is not blacked out, lines without anything personal.

    Of a page whose format is not known, not its `lines`.
    """
    items = pack.manifest["items"]
    problems = list(_wrong_facts(given, pack.manifest, known=lines))
    ours = {item["file"]: item for item in given.manifest["items"]}
    whole = _whole(pack, given) if lines and not forgotten else {}
    unknown = []
    for item in items:
        name, kept = item["file"], _kept(item, given)
        problems += _wrong_file(item, kept, redacted=pack.manifest["redacted"])
        if lines:
            problems += _wrong_item(item, kept, given)
        if (kept is None or pack.manifest["redacted"]) and item != ours.get(name):
            unknown.append(Problem(name, why))
            problems += _wrong_text(name, pack, given, whole) if lines else ()
    there = {_number(item["file"]) for item in items}
    missing = [name for name in ours if _number(name) not in there]
    problems += [Problem(name, "it is missing") for name in missing if lines]
    return Compared(problems, unknown or [Problem(MANIFEST, why)])


def _number(name: str) -> str:
    """Return a file's name without what may be personal in it: `files/01`."""
    return name.partition("-")[0] if name.startswith("files/") else name


def _kept(item: Manifest, given: _Given) -> Kept | None:
    """Return the artifact that an item of a pack is of; None for the texts of the pack itself."""
    numbers = enumerate(given.case.kept, 1)
    return next((kept for n, kept in numbers if item["file"].startswith(prefix(n))), None)


def _wrong_file(item: Manifest, kept: Kept | None, *, redacted: bool) -> Iterator[Problem]:
    """Yield a file that is none of the ledger's. Of a whole one the journal has the hash."""
    if kept is None and item["file"] not in TEXT_FILES:
        yield Problem(item["file"], "the ledger gives no such file")
    elif kept is not None and not redacted and item["sha256"] != kept.sha256:
        yield Problem(item["file"], "it is not the file of the ledger")


def _wrong_text(
    name: str, pack: Pack, given: _Given, whole: Mapping[str, bytes]
) -> Iterator[Problem]:
    """Yield a text of which more is wrong than what may be unknown."""
    if name in whole:
        if not is_blacked_out(pack.texts.get(name, b""), whole[name]):
            yield Problem(name, "what is not blacked out in it is not what the ledger gives")
    elif name in PAGE_FILES and not _has_fixed_lines(name, pack, given):
        yield Problem(name, "a line that holds nothing personal is not what the ledger gives")


def _wrong_item(item: Manifest, kept: Kept | None, given: _Given) -> Iterator[Problem]:
    """Yield what is wrong with the facts of an item that its content does not decide."""
    shows, media_type = TEXT_FILES.get(item["file"], ("", ""))
    if kept is not None:
        shows, media_type = SHOWS[kept.kind], kept.media_type or UNKNOWN_TYPE
    types = {media_type, UNKNOWN_TYPE} if given.rules.redact else {media_type}
    known = {"file", "bytes", "sha256", "media_type", "shows"}
    if given.rules.redact and given.rules.page.guessable:
        known.add("original_sha256")
    is_right = item.get("shows") == shows and item.get("media_type") in types
    if not is_right or not item.keys() <= known:
        yield Problem(MANIFEST, f"what it says of {item['file']} is not what the ledger gives")


def _wrong_facts(given: _Given, found: Manifest, *, known: bool) -> Iterator[Problem]:
    """Yield the facts of a manifest that are wrong; where the format is not known, the old ones."""
    names = {*given.manifest, *found} if known else {"claim", "session", "redacted", "ledger"}
    for name in sorted(names - {"items", "events"}):
        if given.manifest.get(name) != found.get(name):
            yield Problem(MANIFEST, f"its `{_shown(name)}` is not what the ledger gives")
    unknown = ("source", "id") if found["redacted"] else ()
    yield from _event_differences(given.manifest["events"], found["events"], unknown)


class _Nobody:
    """Blacks out nobody."""

    def __call__(self, text: str) -> str:
        return text

    def document(self, text: str) -> str:
        return visible(text)

    def finds_name(self, _text: str) -> bool:
        return False


def _whole(pack: Pack, given: _Given) -> dict[str, bytes]:
    """Return the texts of a redacted pack as they were before they were blacked out.

    Nothing where a file of it is not in the vault any more.
    """
    page, items = given.rules.page, {item["file"]: item for item in pack.manifest["items"]}
    case = blackened(given.case, _Nobody(), guessable=page.guessable)
    files = []
    for number, each in enumerate(filed(case, replace(given.rules, redact=_Nobody())), 1):
        item = next((items[name] for name in items if name.startswith(prefix(number))), None)
        if item is None:
            files.append(each)
            continue
        if each.black is None:
            return {}
        exhibit = replace(each.exhibit, file=item["file"])
        if not page.guessable:
            exhibit = replace(exhibit, bytes=item["bytes"], sha256=item["sha256"])
        files.append(replace(each, exhibit=exhibit))
    whole = texts(case, files, page)
    return whole | {each.exhibit.file or "": each.black for each in files if each.black is not None}


def is_blacked_out(black: bytes, whole: bytes) -> bool:
    """Tell whether a text is another one in which nothing but black was put over something."""
    text = whole.decode()
    first, *parts = black.decode("utf-8", "replace").replace(f'"{BLACK}"', BLACK).split(BLACK)
    if not parts or not text.startswith(first):
        return text == first
    *parts, last = parts
    place = len(first)
    for part in parts:
        if (found := text.find(part, place)) < 0:
            return False
        place = found + len(part)
    return text.endswith(last) and place <= len(text) - len(last)


def _has_fixed_lines(name: str, pack: Pack, given: _Given) -> bool:
    """Tell whether a page has, in their order, all lines that are the same whatever was erased."""
    one, two = (_marked(given, mark)[name].decode() for mark in _ERASED)
    pairs = zip(_LINE.split(one), _LINE.split(two), strict=True)
    theirs = iter(_LINE.split(pack.texts[name].decode("utf-8", "replace")))
    return all(line in theirs for line, other in pairs if line == other)


def _marked(given: _Given, mark: str) -> dict[str, bytes]:
    """Return the texts of a pack with a mark in the place of whatever may be personal."""
    case = given.case
    texts_of = dict.fromkeys(TEXTS, mark)
    marked = replace(
        case,
        reason=mark,
        summary=mark,
        title=mark,
        customer=mark,
        customer_name=mark,
        events=[replace(each, data={**each.data, **texts_of}) for each in case.events],
        messages=[replace(each, speaker=mark, text=mark) for each in case.messages],
        kept=[replace(kept, name=mark) for kept in case.kept],
    )
    rules = given.rules
    return texts(marked, filed(marked, replace(rules, redact=None)), rules.page)
