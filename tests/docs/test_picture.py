"""The picture of the front page in the README is what the program shows, and loads nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

from tests.kit.shell import ROOT

PICTURE = ROOT / "docs" / "front_page.svg"


def test_the_picture_is_current() -> None:
    """`make docs` rewrites it."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_picture.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_picture_is_small_and_loads_nothing() -> None:
    """It is an image of text: without links, fonts, scripts or other images."""
    svg = PICTURE.read_text("utf-8")
    assert len(svg) < 8_000
    assert re.findall(r"https?:[^\"]+|url\(|@import|@font-face|href", svg) == [
        "http://www.w3.org/2000/svg"
    ]
    tags = {element.tag.partition("}")[2] for element in ET.fromstring(svg).iter()}  # noqa: S314
    assert tags == {"svg", "title", "style", "rect", "text"}
    assert f"({PICTURE.relative_to(ROOT)})" in (ROOT / "README.md").read_text("utf-8")
