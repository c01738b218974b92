"""Page formats: a released number gives the same bytes for ever."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from liveportal.domain.case import Case
from liveportal.exports.evidence import manifest_fields, pack_entries
from liveportal.exports.exhibits import ExhibitRules
from liveportal.exports.pack import write_pack
from liveportal.exports.pages import CURRENT, PAGES, case_redactor
from tests.kit.pack_case import case, file

SEALS = {
    (1, False): "a2d7d76f36986b758d1162bef1b6591dfec541caa6d2cfebe8fadb124b4ff207",
    (1, True): "c4be801f5b71b8fc1455d0a3b09455e0876d577ca990802af3c5ff2dbecdd46e",
    (2, False): "503b41a8288e892f4a89e199464e53d21c3b5c034223f3c04f45bcdcf7f258d0",
    (2, True): "b350f1d5ff5846e0584f4c917376598c11ea6ceba58fc45c682937dec975db1d",
    (3, False): "8ccb0249ac2a34616e966551bde06015bab3999d3b439c43e6f2f403abad13d5",
    (3, True): "5f2690a549c102435eb384287026517636e1c08d68ebbfa2c4c977fdf48e246d",
}
"""The seal of a pack of each format, whole and redacted. Where one fails, a released page was
changed: give the change a number of its own (`liveportal/exports/pages.py`) and add its seals."""


def made(folder: Path) -> Case:
    """Return a case with files of several kinds, and names in all its texts."""
    return case(
        late=True,
        kept=(
            file(
                *(folder, "Mina's chat.txt", b"MINA: hello\r\n\tharker, +33 6 12 34 56 78"),
                *("transcript", "text/plain"),
            ),
            file(folder, "shot 1.png", b"\x89PNG", "attachment", "image/png"),
            file(folder, "big.mp4", b"x" * 5000, "recording", None),
        ),
    )


@pytest.mark.parametrize(("number", "redacted"), SEALS)
def test_a_released_page_never_changes(tmp_path: Path, number: int, redacted: bool) -> None:
    """Its packs are verified by writing them again, years later."""
    page, shown = PAGES[number], made(tmp_path)
    redact = case_redactor(page, shown, ("Ana",), ()) if redacted else None
    rules = ExhibitRules(page, 4000, redact)
    seal = write_pack(BytesIO(), pack_entries(shown, rules), manifest_fields(shown, rules))
    assert seal == SEALS[number, redacted]


def test_every_page_has_its_seals() -> None:
    """A format that no test holds would change unseen; the current one is the last."""
    assert set(SEALS) == {(number, redacted) for number in PAGES for redacted in (False, True)}
    assert all(page.number == number for number, page in PAGES.items())
    assert max(PAGES) == CURRENT.number
