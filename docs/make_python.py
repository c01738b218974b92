"""Write the lists at the end of docs/PYTHON.md: queries, rows, events ... as they are declared.

`make docs` does it. With `--check` nothing is written, and the exit code is 1 if the page is out of
date.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from liveportal import Caution, FeedFormat, Portal, RequestFilter, SessionFilter, events, rows
from liveportal.domain.events.envelope import EventData
from liveportal.domain.events.fields import EventRecord
from liveportal.services import queries, view

PAGE = Path(__file__).with_name("PYTHON.md")
MARK = "<!-- Made by `make docs` from the declarations; not edited by hand. -->\n"
METHODS = (
    "create",
    "execute",
    "event",
    "record",
    "sync",
    "attach",
    "forget",
    "as_known",
    "resolve_id",
    "head",
    "close",
)
"""The methods of a portal that are listed; the others serve the command line."""
ABOUT_METHODS = """\
These are the methods of a portal; call `create` on the class. `StrPath` is a `str` or an
`os.PathLike`, `Allow` is True or a set of caution codes, and `FeedSource` is what `sync` takes (see
above). `assumed` names the fields that got a default value, on which a replay is not compared.
`before` is the number of earlier lines, which error messages count.
"""


def groups() -> Iterator[tuple[str, type[queries.Group]]]:
    """Yield the groups of queries, by the names of their attributes, in order."""
    for name in vars(view.View):
        kind = getattr(queries, name.capitalize(), None)
        if isinstance(kind, type) and issubclass(kind, queries.Group):
            yield name, kind


def first_sentence(of: object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(of) or "").partition("\n\n")[0].split())


def arguments(function: Callable[..., object]) -> str:
    """Return the signature of a method, without `self` or hooks, whose default is a function."""
    signature = inspect.signature(function)
    kept = [
        parameter
        for name, parameter in signature.parameters.items()
        if name != "self" and not inspect.isfunction(parameter.default)
    ]
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(signature.replace(parameters=kept)))
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", text)


def method_list() -> Iterator[str]:
    """Yield a line about each method of a portal that a program calls."""
    for name in METHODS:
        method = getattr(Portal, name)
        yield f"- `{name}{arguments(method)}`  \n  {first_sentence(method)}"


def query_list() -> Iterator[str]:
    """Yield the lines about the queries of each group."""
    for name, kind in groups():
        about = first_sentence(kind).partition(": ")[2]
        yield f"\n### `portal.{name}`\n\n{about[:1].upper()}{about[1:]}\n"
        for query, function in vars(kind).items():
            if query.startswith("_"):
                continue
            yield f"- `{query}{arguments(function)}`  \n  {first_sentence(function)}"


def with_fields(*kinds: type) -> Iterator[str]:
    """Yield a line about each class: its docstring if it has one, and its fields."""
    for kind in kinds:
        about = first_sentence(kind)
        title = f"**{kind.__name__}**" + (f": {about}  \n " if about != kind.__name__ else ":")
        fields = ", ".join(f"`{field.name}: {field.type}`" for field in dataclasses.fields(kind))
        yield f"- {title} {fields}"


def event_classes() -> Iterator[type]:
    """Yield the data of each event, and the parts of it, as they are declared."""
    for kind in vars(events).values():
        if not isinstance(kind, type) or not issubclass(kind, EventRecord):
            continue
        is_part = not issubclass(kind, EventData) and not kind.__subclasses__()
        if is_part or hasattr(kind, "TYPE"):
            yield kind


def caution_list(kind: type[Caution] = Caution) -> Iterator[str]:
    """Yield a line about each caution."""
    for caution in kind.__subclasses__():
        yield f"- `{caution.code}`: {first_sentence(caution)}"
        yield from caution_list(caution)


def page() -> str:
    """Return the page, with the lists as they must be."""
    text = PAGE.read_text("utf-8").partition(MARK)[0] + MARK
    parts = [
        f"\n## Methods\n\n{ABOUT_METHODS}",
        *method_list(),
        "\n## Queries\n\nA portal has these queries, and so has the view that `as_known` returns.",
        *query_list(),
        "\n## Rows\n\nThe fields of each, in the order of JSON. A field may be a row itself.\n",
        *with_fields(*(getattr(rows, name) for name in rows.__all__ if name != "Row")),
        "\n## Filters\n\nArguments of `portal.requests.list` and `portal.sessions.list`.\n",
        *with_fields(RequestFilter, SessionFilter),
        "\n## Formats\n\nAn argument of `sync`.\n",
        *with_fields(FeedFormat),
        "\n## Events\n\nThe data of events, and its parts. A field that may be None is optional.\n",
        *with_fields(*event_classes()),
        "\n## Cautions\n",
        *caution_list(),
    ]
    return text + "\n".join(parts) + "\n"


def main() -> int:
    """Write the page or, with `--check`, check that it is current."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.read_text("utf-8") == text:
        return 0
    sys.stderr.write("docs/PYTHON.md does not list what is declared: run `make docs`.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
