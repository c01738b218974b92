"""Elements of XML and SGML, with the lines on which they begin, in memory only as far as needed.

XML is read by defusedxml, which refuses document types, entities and external references. The SGML
of OFX leaves out the end tags of values; nothing reads that but this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from liveportal.domain.errors import BadEncoding, MalformedFile
from liveportal.domain.patterns import pattern
from liveportal.tables.lines import ENCODINGS, Lines
from liveportal.tables.source import Place, quoted

LONGEST_LINE = 64 * 1024 * 1024
"""The most bytes in a line of XML: many banks write all of a file in one."""
DEEPEST = 64
"""The most elements around an element."""
MOST_ELEMENTS = 20_000
"""The most elements in one entry."""
LONGEST_TEXT = 100_000
"""The most characters of an element."""

_TAG = pattern(r"<(/?)([A-Za-z][A-Za-z0-9._-]{0,63})\s{0,9}>")
_ENCODING = pattern(r"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_CHUNK = 65_536
_HINT = "Download the file from the bank again."


class Node:
    """An element: its tag without a namespace, its line, and what it contains."""

    __slots__ = ("attributes", "children", "line", "parts", "tag")

    def __init__(self, tag: str, line: int, attributes: Mapping[str, str] | None = None) -> None:
        self.tag, self.line, self.attributes = tag, line, attributes or {}
        self.parts: list[str] = []
        self.children: list[Node] = []

    @property
    def text(self) -> str:
        """The element's own text, with single spaces."""
        return " ".join("".join(self.parts).split())

    def find(self, *path: str) -> Node | None:
        """Return the first element at a path of tags."""
        found = self
        for tag in path:
            inside = next((child for child in found.children if child.tag == tag), None)
            if inside is None:
                return None
            found = inside
        return found

    def text_at(self, *path: str) -> str:
        """Return the text of the first element at a path, or an empty one."""
        found = self.find(*path)
        return found.text if found else ""

    def all(self, *tags: str) -> Iterator[Node]:
        """Yield the elements with one of some tags at any depth, in the order of the file."""
        for child in self.children:
            if child.tag in tags:
                yield child
            yield from child.all(*tags)


class Tree:
    """Keeps the elements that are wanted, as they end, and the beginnings of some others."""

    def __init__(self, place: Place, *, begins: frozenset[str], wanted: frozenset[str]) -> None:
        self.place, self._begins, self._wanted = place, begins, wanted
        self._open: list[Node | None] = []  # None for elements around those that are wanted.
        self._size = self._length = 0
        self._done: list[Node] = []

    @property
    def depth(self) -> int:
        """How many elements are open."""
        return len(self._open)

    def begin(self, tag: str, line: int, attributes: Mapping[str, str] | None = None) -> None:
        """Take the start of an element."""
        if len(self._open) >= DEEPEST:
            raise self.malformed(line, f"more than {DEEPEST} elements are inside each other.")
        is_inside = bool(self._open) and self._open[-1] is not None
        if not is_inside:
            self._size = 0
            if tag in self._begins:
                self._done.append(Node(tag, line, attributes))
        elif tag in self._wanted:
            raise self.malformed(line, f"{tag} is inside another element, which is not closed.")
        is_kept = is_inside or tag in self._wanted
        self._size += 1
        if self._size > MOST_ELEMENTS:
            reason = f"an entry has more than {MOST_ELEMENTS:,} elements."
            raise self.malformed(line, reason)
        self._length = 0
        self._open.append(Node(tag, line, attributes) if is_kept else None)

    def text(self, text: str, line: int) -> None:
        """Take text of the element that was begun last."""
        node = self._open[-1] if self._open else None
        if node is None:
            return
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            reason = f"the text of {node.tag} is longer than {LONGEST_TEXT:,} characters."
            raise self.malformed(line, reason)
        node.parts.append(text)

    def end(self, *, was_empty: bool = False) -> None:
        """Take the end of an element. What is inside one that was empty belongs to its parent."""
        node = self._open.pop()
        if node is None:
            return
        inside = []
        if was_empty:
            inside, node.children = node.children, []
        parent = self._open[-1] if self._open else None
        if parent is None:
            if inside:
                raise self.malformed(node.line, f"{node.tag} is never closed.")
            self._done.append(node)
        else:
            parent.children += [node, *inside]

    def taken(self) -> list[Node]:
        """Return the elements that were found since the last call."""
        done, self._done = self._done, []
        return done

    def malformed(self, line: int, reason: str) -> MalformedFile:
        """Return the refusal of the file at a line."""
        return self.place.error(MalformedFile, line, reason, hint=_HINT)


def xml_encoding(place: Place, head: bytes) -> str:
    """Return the encoding that an XML file declares; raises `BadEncoding` for a rare one."""
    match = _ENCODING.search(head[:400].decode("latin-1"))
    return known_encoding(place, match[1]) if match else "utf-8"


def known_encoding(place: Place, name: str) -> str:
    """Return Python's name of an encoding that a file declares; raises `BadEncoding`."""
    from codecs import lookup

    try:
        found = lookup(name).name
    except LookupError:
        found = ""
    if found not in ENCODINGS:
        raise place.error(
            BadEncoding,
            1,
            f"the file declares the encoding {quoted(name)}, which is not read.",
            hint="Save the file in UTF-8, and declare that.",
            offset=0,
        )
    return found


# --- XML ------------------------------------------------------------------------------------------


class _Target:
    """Passes what the parser finds to a tree, with lines and without namespaces."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.parser: Any = None  # Expat's, once there is one.

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._tree.begin(tag.rpartition("}")[2], self.parser.CurrentLineNumber, attributes)

    def end(self, tag: str) -> None:
        del tag
        self._tree.end()

    def data(self, text: str) -> None:
        self._tree.text(text, self.parser.CurrentLineNumber)

    def close(self) -> None:
        """Do nothing; a parser's target has this method."""


def xml_nodes(lines: Lines, tree: Tree) -> Iterator[Node]:
    """Yield what a tree keeps of an XML file; raises `MalformedFile`."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    target = _Target(tree)
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    target.parser = parser.parser
    try:
        for line in lines:
            for at in range(0, len(line), _CHUNK):
                parser.feed(line[at : at + _CHUNK])
                yield from tree.taken()
        parser.close()
    except DefusedXmlException:
        raise tree.malformed(
            target.parser.CurrentLineNumber,
            "the file declares a document type or an entity, which no statement has and which can"
            " do harm.",
        ) from None
    except ParseError as error:
        reason = "the XML is not well-formed: the file was cut, or changed by hand."
        raise tree.malformed(error.position[0], reason) from None
    yield from tree.taken()


# --- SGML -----------------------------------------------------------------------------------------


class _Sgml:
    """Follows tags whose end tags may be missing: a value ends where the next tag begins."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._tags: list[str] = []
        self._has_value = False  # The innermost element: it cannot contain others.

    def feed(self, text: str, line: int) -> None:
        text = text.replace("<![CDATA[", "").replace("]]>", "")
        at = 0
        for tag in _TAG.finditer(text):
            self._value(text[at : tag.start()], line)
            at = tag.end()
            if tag[1]:
                self._close(tag[2].upper(), line)
            else:
                self._close_value()
                self._tags.append(tag[2].upper())
                self._tree.begin(self._tags[-1], line)
        self._value(text[at:], line)

    def _value(self, text: str, line: int) -> None:
        if self._tags and text.strip():
            self._has_value = True
            self._tree.text(unescape(text), line)

    def _close_value(self) -> None:
        if self._has_value:
            self._pop()

    def _close(self, tag: str, line: int) -> None:
        if self._has_value and self._tags[-1] != tag:
            self._pop()
        if tag not in self._tags:
            raise self._tree.malformed(line, f"</{tag}> ends an element that is not open.")
        while self._tags[-1] != tag:
            self._pop(was_empty=True)
        self._pop()

    def _pop(self, *, was_empty: bool = False) -> None:
        self._tags.pop()
        self._has_value = False
        self._tree.end(was_empty=was_empty)


def sgml_nodes(lines: Lines, tree: Tree) -> Iterator[Node]:
    """Yield what a tree keeps of an SGML file; raises `MalformedFile`."""
    reader = _Sgml(tree)
    for line in lines:
        reader.feed(line, lines.number)
        yield from tree.taken()
    if tree.depth:
        raise tree.malformed(lines.number, "an element is never closed: the file was cut.")
