"""The files that the documents name exist: each claim of SECURITY.md names its module or test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`((?:[\w-]+/)+[\w-]*(?:\.(?:py|toml|sql|md|jsonl))?)`")
PAGES = ("SECURITY.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/RULES.md")
LINK = re.compile(r"\]\(([^)#:]+)(?:#([^)]+))?\)")
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md")]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page: str) -> None:
    """Paths are those of the repository, or of the package, or of its domain or command line."""
    named = set(NAMED.findall((ROOT / page).read_text("utf-8")))
    below = [ROOT, *(ROOT / "liveportal" / part for part in ("", "domain", "cli"))]
    missing = [path for path in named if not any((folder / path).exists() for folder in below)]
    assert missing == []


def test_the_pages_name_paths() -> None:
    """The pattern finds them."""
    assert len(NAMED.findall((ROOT / "SECURITY.md").read_text("utf-8"))) > 40


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file, and to a heading of it."""
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        file = page.parent / target
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings]
            assert anchor in anchors, (target, anchor)
