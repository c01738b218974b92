"""A dossier: all that bears on a claim, in order of time, as a page and as Markdown.

Both are written from the same value and say the same. Every text in it may come from a stranger:
it is cleaned here, and escaped for the form that it is written in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from liveportal.domain.clock import zone
from liveportal.domain.text import clean

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|~&])")
_NOWHERE = "base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding-bottom: .4rem; }
th { white-space: nowrap; }
th, td { border-bottom: 1px solid #8886; padding: .3rem .6rem; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
code { overflow-wrap: anywhere; }
img { max-width: 100%; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dd { margin: 0; }
@media print {
  body { font-size: 10pt; margin: 0; max-width: none; }
  tr, figure { break-inside: avoid; } thead { display: table-header-group; }
  a { color: inherit; text-decoration: none; }
}
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened; `seq` is its event's place in the journal: a message has none."""

    time: datetime | None
    what: str
    by: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One step of the arithmetic: what it is, what it comes to, and by which rule."""

    label: str
    value: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A piece of evidence. `file` is its place in the pack; `why` says why it has none."""

    name: str
    kind: str
    shows: str
    bytes: int
    sha256: str
    file: str | None = None
    media_type: str | None = None
    time: datetime | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that bears on a claim. Times are shown in `zone`, the platform's."""

    title: str
    zone: str
    facts: tuple[tuple[str, str], ...]
    timeline: tuple[Moment, ...]
    figures: tuple[Figure, ...]
    exhibits: tuple[Exhibit, ...]
    footer: tuple[str, ...]
    start: datetime | None = None
    end: datetime | None = None

    def local(self, instant: datetime | None) -> str:
        """Return an instant as the dossier shows it, to the second."""
        if instant is None:
            return ""
        try:
            return f"{instant.astimezone(zone(self.zone)):%Y-%m-%d %H:%M:%S}"
        except OverflowError:  # The ends of the calendar.
            return f"{instant:%Y-%m-%d %H:%M:%S}"

    def into(self, instant: datetime | None) -> str:
        """Return how far into the session an instant is, as `12:31`; empty outside of it."""
        if instant is None or self.start is None or instant < self.start:
            return ""
        if self.end is not None and instant > self.end:
            return ""
        hours, rest = divmod((instant - self.start) // timedelta(seconds=1), 3600)
        minutes = f"{rest // 60}:{rest % 60:02d}"
        return f"{hours}:{minutes:0>5}" if hours else minutes


# --- as a page ------------------------------------------------------------------------------------


def html(dossier: Dossier) -> str:
    """Write a dossier as one self-contained page that prints well and runs nothing."""
    facts = "".join(
        f"<dt>{_html(label)}</dt><dd>{_lines(value)}</dd>" for label, value in dossier.facts
    )
    moments = [
        (
            f'<td class="time">{_time(dossier, each.time)}</td>',
            f'<td class="number">{dossier.into(each.time)}</td>',
            f"<td>{_lines(each.what)}</td>",
            f"<td>{_html(each.by or '')}</td>",
            f'<td class="number">{each.seq or ""}</td>',
        )
        for each in dossier.timeline
    ]
    figures = [
        (
            f'<th scope="row">{_html(each.label)}</th>',
            f'<td class="number">{_html(each.value)}</td>',
            f"<td>{_html(each.rule)}</td>",
        )
        for each in dossier.figures
    ]
    exhibits = [
        (
            f'<td class="time">{dossier.local(each.time)}</td>',
            f"<td>{_link(each)}</td>",
            f"<td>{_html(each.kind)}</td>",
            f"<td>{_html(each.shows)}</td>",
            f'<td class="number">{each.bytes}</td>',
            f"<td><code>{_html(each.sha256)}</code></td>",
        )
        for each in dossier.exhibits
    ]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:; {_NOWHERE}">
<title>{_html(dossier.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{_html(dossier.title)}</h1>
<dl>{facts}</dl>
<h2>What happened</h2>
{_table(f"In order of time; times are those of {dossier.zone}.", _MOMENTS, moments)}
<h2>The bill</h2>
{_table("From the timer to the money, each step with its rule.", _FIGURES, figures)}
<h2>The evidence</h2>
{_table("Each file with what it shows, and its SHA-256.", _EXHIBITS, exhibits)}
{"".join(_picture(each) for each in dossier.exhibits)}
</main>
<footer>
{"".join(f"<p>{_html(line)}</p>" for line in dossier.footer)}
</footer>
</body>
</html>
"""


_MOMENTS = ("Time", "Into it", "What happened", "Said by", "Event")
_FIGURES = ("Step", "Comes to", "Rule")
_EXHIBITS = ("Time", "File", "Kind", "What it shows", "Bytes", "SHA-256")
_NUMBERS = ("Into it", "Event", "Comes to", "Bytes")


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    columns = "".join(
        f'<th scope="col"{" class=number" if head in _NUMBERS else ""}>{head}</th>'
        for head in heads
    )
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    if not body:
        return "<p>None.</p>"
    return (
        f"<table><caption>{_html(caption)}</caption>"
        f"<thead><tr>{columns}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    )


def _link(exhibit: Exhibit) -> str:
    if exhibit.file is None:
        return f"{_html(exhibit.name)}<br><em>{_html(exhibit.why or '')}</em>"
    return f'<a href="{escape(exhibit.file)}">{_html(exhibit.name)}</a>'


def _picture(exhibit: Exhibit) -> str:
    if exhibit.file is None or exhibit.media_type not in PICTURES:
        return ""
    return (
        f'<figure><img src="{escape(exhibit.file)}" alt="{_html(exhibit.shows)}">'
        f"<figcaption>{_html(exhibit.name)}</figcaption></figure>\n"
    )


def _html(text: str) -> str:
    return escape(clean(text))


def _lines(text: str) -> str:
    return "<br>".join(_html(line) for line in text.splitlines())


def _time(dossier: Dossier, instant: datetime | None) -> str:
    if instant is None:
        return ""
    return f'<time datetime="{instant.isoformat()}">{dossier.local(instant)}</time>'


# --- as Markdown ----------------------------------------------------------------------------------


def markdown(dossier: Dossier) -> str:
    """Write a dossier as Markdown, for whoever reads it in a terminal or a ticket."""
    moments = [
        (
            dossier.local(each.time),
            dossier.into(each.time),
            each.what,
            each.by or "",
            each.seq or "",
        )
        for each in dossier.timeline
    ]
    figures = [(each.label, each.value, each.rule) for each in dossier.figures]
    exhibits = [
        (
            dossier.local(each.time),
            each.name if each.file is None else f"{each.name} ({each.file})",
            each.kind,
            each.shows if each.why is None else f"{each.shows} ({each.why})",
            each.bytes,
            each.sha256,
        )
        for each in dossier.exhibits
    ]
    parts = [
        f"# {_md(dossier.title)}",
        "\n".join(f"- {_md(label)}: {_md(value)}" for label, value in dossier.facts),
        "## What happened",
        f"In order of time; times are those of {dossier.zone}.",
        _md_table(_MOMENTS, moments),
        "## The bill",
        _md_table(_FIGURES, figures),
        "## The evidence",
        _md_table(_EXHIBITS, exhibits),
        "\n".join(_md(line) for line in dossier.footer),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _md_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return "None."
    rules = ["---:" if head in _NUMBERS else "---" for head in heads]
    lines = [heads, rules, *([_md(str(cell)) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _md(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", clean(text))
