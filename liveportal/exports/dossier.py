"""A dossier: everything about a claim, in chronological order, as an HTML page and as Markdown.

Both are written from the same value and have the same content. Every text may be hostile, so it is
cleaned here and escaped for the output format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape

from liveportal.domain.clock import zone
from liveportal.domain.frozen import frozen
from liveportal.domain.text import clean

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&])")
_CSP_REST = "base-uri 'none'; form-action 'none'"
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


@frozen
class TimelineEntry:
    """An entry of the timeline; `seq` is the event's number in the journal, None for a message."""

    time: datetime | None
    what: str
    by: str | None = None
    seq: int | None = None


@frozen
class Figure:
    """One step of the bill: a label, its value, and the rule that it follows."""

    label: str
    value: str
    rule: str = ""


@frozen
class Exhibit:
    """A piece of evidence. `file` is its path in the pack; without a file, `why` has the reason."""

    name: str
    kind: str
    shows: str
    bytes: int
    sha256: str
    file: str | None = None
    media_type: str | None = None
    time: datetime | None = None
    why: str | None = None


@frozen
class Reasons:
    """Why a file is not in the pack, as its pages give it.

    `too_large` takes the largest size in bytes. `without_hash` follows a reason, up to the
    semicolon in it, where the hash is withheld, too.
    """

    absent: str
    too_large: str
    unreadable: str
    without_hash: str


@frozen
class Dossier:
    """Everything about a claim. Times are shown in `zone`, the time zone of the platform."""

    title: str
    zone: str
    facts: tuple[tuple[str, str], ...]
    timeline: tuple[TimelineEntry, ...]
    figures: tuple[Figure, ...]
    exhibits: tuple[Exhibit, ...]
    footer: tuple[str, ...]
    start: datetime | None = None
    end: datetime | None = None

    def local(self, instant: datetime | None) -> str:
        """Return an instant in the dossier's zone, to the second."""
        if instant is None:
            return ""
        try:
            return f"{instant.astimezone(zone(self.zone)):%Y-%m-%d %H:%M:%S}"
        except OverflowError:  # Near the first or last year of the calendar.
            return f"{instant:%Y-%m-%d %H:%M:%S}"

    def into(self, instant: datetime | None) -> str:
        """Return the time since the start of the session, as `12:31`; empty outside the session."""
        if instant is None or self.start is None or instant < self.start:
            return ""
        if self.end is not None and instant > self.end:
            return ""
        hours, rest = divmod((instant - self.start) // timedelta(seconds=1), 3600)
        minutes = f"{rest // 60}:{rest % 60:02d}"
        return f"{hours}:{minutes:0>5}" if hours else minutes


# --- HTML -----------------------------------------------------------------------------------------


def html(dossier: Dossier) -> str:
    """Return a dossier as one self-contained HTML page without scripts, suitable for printing."""
    facts = "".join(
        f"<dt>{_escape(label)}</dt><dd>{_html_lines(value)}</dd>" for label, value in dossier.facts
    )
    moment_rows = [
        (
            f'<td class="time">{_html_time(dossier, moment.time)}</td>',
            f'<td class="number">{dossier.into(moment.time)}</td>',
            f"<td>{_html_lines(moment.what)}</td>",
            f"<td>{_escape(moment.by or '')}</td>",
            f'<td class="number">{moment.seq or ""}</td>',
        )
        for moment in dossier.timeline
    ]
    figure_rows = [
        (
            f'<th scope="row">{_escape(figure.label)}</th>',
            f'<td class="number">{_escape(figure.value)}</td>',
            f"<td>{_escape(figure.rule)}</td>",
        )
        for figure in dossier.figures
    ]
    exhibit_rows = [
        (
            f'<td class="time">{dossier.local(exhibit.time)}</td>',
            f"<td>{_file_link(exhibit)}</td>",
            f"<td>{_escape(exhibit.kind)}</td>",
            f"<td>{_escape(exhibit.shows)}</td>",
            f'<td class="number">{exhibit.bytes}</td>',
            f"<td><code>{_escape(exhibit.sha256)}</code></td>",
        )
        for exhibit in dossier.exhibits
    ]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:; {_CSP_REST}">
<title>{_escape(dossier.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{_escape(dossier.title)}</h1>
<dl>{facts}</dl>
<h2>What happened</h2>
{_table(f"In order of time; times are those of {dossier.zone}.", _MOMENT_COLUMNS, moment_rows)}
<h2>The bill</h2>
{_table("From the timer to the money, each step with its rule.", _FIGURE_COLUMNS, figure_rows)}
<h2>The evidence</h2>
{_table("Each file with what it shows, and its SHA-256.", _EXHIBIT_COLUMNS, exhibit_rows)}
{"".join(_figure(exhibit) for exhibit in dossier.exhibits)}
</main>
<footer>
{"".join(f"<p>{_escape(line)}</p>" for line in dossier.footer)}
</footer>
</body>
</html>
"""


_MOMENT_COLUMNS = ("Time", "Into it", "What happened", "Said by", "Event")
_FIGURE_COLUMNS = ("Step", "Comes to", "Rule")
_EXHIBIT_COLUMNS = ("Time", "File", "Kind", "What it shows", "Bytes", "SHA-256")
_NUMBER_COLUMNS = ("Into it", "Event", "Comes to", "Bytes")


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    columns = "".join(
        f'<th scope="col"{" class=number" if head in _NUMBER_COLUMNS else ""}>{head}</th>'
        for head in heads
    )
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    if not body:
        return "<p>None.</p>"
    return (
        f"<table><caption>{_escape(caption)}</caption>"
        f"<thead><tr>{columns}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    )


def _file_link(exhibit: Exhibit) -> str:
    if exhibit.file is None:
        return f"{_escape(exhibit.name)}<br><em>{_escape(exhibit.why or '')}</em>"
    return f'<a href="{escape(exhibit.file)}">{_escape(exhibit.name)}</a>'


def _figure(exhibit: Exhibit) -> str:
    if exhibit.file is None or exhibit.media_type not in PICTURES:
        return ""
    return (
        f'<figure><img src="{escape(exhibit.file)}" alt="{_escape(exhibit.shows)}">'
        f"<figcaption>{_escape(exhibit.name)}</figcaption></figure>\n"
    )


def _escape(text: str) -> str:
    return escape(clean(text))


def _html_lines(text: str) -> str:
    return "<br>".join(_escape(line) for line in text.splitlines())


def _html_time(dossier: Dossier, instant: datetime | None) -> str:
    if instant is None:
        return ""
    return f'<time datetime="{instant.isoformat()}">{dossier.local(instant)}</time>'


# --- Markdown -------------------------------------------------------------------------------------


def markdown(dossier: Dossier) -> str:
    """Return a dossier as Markdown, for terminals and tickets."""
    moment_rows = [
        (
            dossier.local(moment.time),
            dossier.into(moment.time),
            moment.what,
            moment.by or "",
            moment.seq or "",
        )
        for moment in dossier.timeline
    ]
    figure_rows = [(figure.label, figure.value, figure.rule) for figure in dossier.figures]
    exhibit_rows = [
        (
            dossier.local(exhibit.time),
            exhibit.name if exhibit.file is None else f"{exhibit.name} ({exhibit.file})",
            exhibit.kind,
            exhibit.shows if exhibit.why is None else f"{exhibit.shows} ({exhibit.why})",
            exhibit.bytes,
            exhibit.sha256,
        )
        for exhibit in dossier.exhibits
    ]
    parts = [
        f"# {_escape_md(dossier.title)}",
        "\n".join(f"- {_escape_md(label)}: {_escape_md(value)}" for label, value in dossier.facts),
        "## What happened",
        f"In order of time; times are those of {dossier.zone}.",
        _md_table(_MOMENT_COLUMNS, moment_rows),
        "## The bill",
        _md_table(_FIGURE_COLUMNS, figure_rows),
        "## The evidence",
        _md_table(_EXHIBIT_COLUMNS, exhibit_rows),
        "\n".join(_escape_md(line) for line in dossier.footer),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _md_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return "None."
    rules = ["---:" if head in _NUMBER_COLUMNS else "---" for head in heads]
    lines = [heads, rules, *([_escape_md(str(cell)) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escape_md(text: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", clean(text))
