"""What a page that the program writes may hold: its template's elements, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser


class _Page(HTMLParser):
    """All the tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.remarks = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        del data
        self.remarks += 1


TAGS = frozenset(
    (
        *("html", "head", "meta", "title", "style", "body", "main", "header", "footer", "h1", "h2"),
        *("p", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "time"),
        *("ol", "li", "code", "em", "br", "a", "div", "svg", "desc", "line", "rect", "text"),
    )
)
ATTRIBUTES = frozenset(
    (
        *("lang", "charset", "name", "content", "http-equiv", "class", "scope", "datetime", "href"),
        *("viewbox", "role", "aria-labelledby", "id", "x", "y", "x1", "x2", "y1", "y2"),
        *("width", "height"),
    )
)


def check_page(text: str, *, addresses: set[str]) -> None:
    """Assert that a page has no other element, attribute or address than these."""
    page = _Page(text)
    assert {tag for tag, _ in page.tags} <= TAGS
    assert {name for _, given in page.tags for name in given} <= ATTRIBUTES
    assert page.remarks == 0
    assert set(_values(page, "href")) <= addresses
    policies = [given for tag, given in page.tags if given.get("http-equiv")]
    assert [given["http-equiv"] for given in policies] == ["Content-Security-Policy"]
    assert str(policies[0]["content"]).startswith("default-src 'none';")
    assert {given["name"] for tag, given in page.tags if tag == "meta" and "name" in given} <= {
        "viewport",
        "liveportal-statement",
    }


def _values(page: _Page, name: str) -> Iterator[str | None]:
    return (given[name] for _, given in page.tags if name in given)
