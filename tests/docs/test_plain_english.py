"""Words and turns of phrase that are not plain English do not come back.

The texts of the program (help, errors, hints, headings, docstrings) and the documents are searched.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAY_INSTEAD = {
    r"what there is": "name it",
    r"(?-i:\b(?:there )?is none\b)": "'has no ...' or 'there is no ...'",
    r"\bof it\b": "name it, or leave it out",
    r"\b(?:told|tells?)\b(?! apart)": "reported, recorded, shows, says",
    r"\breckon\w*": "calculate, calculation",
    r"\bstands?\b(?!-)": "is, appears, applies, is listed",
    r"\bstood\b": "was, appeared",
    r"\bhold(?:s|ing)? .{0,40}\bagainst\b|\bheld against\b": "compare with",
    r"\banew\b": "again",
    r"\bwhoever\b": "anybody who, the person who",
    r"\bnobody\b": "no one",
    r"(?<!there )\bis no (?!longer\b|more\b|one\b|other\b)": "'is not a ...' or 'has no ...'",
    r"\bspeaks? against\b": "warnings",
    r"\bsay which\b": "name the thing",
    r"\bwhat proves\b": "evidence",
    r"\b(?:is|are) known of\b": "name it",
    r"\btimes? of knowing\b": "as known at",
    r"\bnothing of\b": "nothing from, nothing",
    r"\bthat many\b": "the number",
    r"\bthereof\b|\bwhereof\b|\bhereby\b": "leave it out",
    r"\bwhat becomes? of\b|\bwhat became of\b": "the result",
    r"\bnothing is asked\b": "'this command never asks'",
    r"\bis ended: it\b": "has already ended",
    r"\bmust be (?:a text|texts)\b": "a string",
    r"\bnote it somewhere\b|\bnote the head\b": "write it down",
    r"\bby another way than\b": "separately from",
    r"\bbelow zero\b": "negative",
    r"\bsays? nothing to\b": "does not concern",
    r"\b(?:some|any|every)body\b": "someone, anyone, everyone",
    r"\bhow to mend\b": "how to fix",
    r"\boutside of the\b": "outside the",
    r"(?-i:\bNet of\b)": "'Net for', as 'net of' means 'without'",
    r"\bany more\b(?! than)": "no longer",
    r"\bpayouts to come\b": "upcoming payouts",
    r"\bin your vacation\b": "during your vacation",
    r"(?-i:\. Repeatable\.)|; default: ": "'; repeatable' and '(default: ...)'",
    r"\ban equal (?:one|ledger)\b": "an equivalent ledger",
}
TURNS = re.compile("|".join(f"(?:{turn})" for turn in SAY_INSTEAD), re.IGNORECASE)
AS_RELEASED = {
    "liveportal/domain/calculations/billing_steps.py": "pages of released formats show its steps",
    "liveportal/exports/pages_1.py": "the texts of released page formats, which never change",
    "liveportal/exports/sentences_1.py": "the texts of released page formats, which never change",
    "liveportal/exports/spellings.py": "the texts of released page formats, which never change",
}
PRODUCT = sorted(ROOT.glob("liveportal/**/*.py"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SEARCHED = {path.relative_to(ROOT).as_posix(): path for path in (*PRODUCT, *DOCUMENTS)}


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a file with their lines: string constants, or a document's paragraphs."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.lineno, " ".join(node.value.split())
        return
    number = 1
    for paragraph in re.split(r"(\n{2,})", text):
        yield number, " ".join(paragraph.split())
        number += paragraph.count("\n")


def found(text: str) -> Iterator[str]:
    """Yield each banned turn with the words around it, and what to say instead."""
    for match in TURNS.finditer(text):
        around = text[max(0, match.start() - 40) : match.end() + 40]
        instead = next(
            say for turn, say in SAY_INSTEAD.items() if re.match(turn, match[0], re.IGNORECASE)
        )
        yield f"'{match[0]}' in '...{around}...': say {instead}"


@pytest.mark.parametrize("name", [name for name in SEARCHED if name not in AS_RELEASED])
def test_texts_are_plain_english(name: str) -> None:
    """No text has a word or a turn of the list."""
    texts = sentences(SEARCHED[name])
    wrong = [f"line {line}: {turn}" for line, text in texts for turn in found(text)]
    assert not wrong, "\n".join(wrong)


def test_released_texts_exist() -> None:
    """The exempt files are files of the product."""
    assert AS_RELEASED.keys() <= SEARCHED.keys()


@pytest.mark.parametrize(
    ("text", "turn"),
    [
        ("Session S-1 is ended: it cannot be ended.", "is ended: it"),
        ("This is no file.", "is no "),
        ("What the feed told stands.", "told"),
        ("Hold what was billed against the policy.", "Hold what was billed against"),
        ("Net of 2026-10", "Net of"),
        ("The day; default: today.", "; default: "),
    ],
)
def test_banned_turns_are_found(text: str, turn: str) -> None:
    """The search finds what it is there to find."""
    assert any(f"'{turn}'" in line for line in found(text))


@pytest.mark.parametrize(
    "text",
    [
        "There is no file.",
        "It is no longer open.",
        "This is None.",
        "It is standard.",
        "Nothing offers it.",
        "It understands.",
        "This is net of fees, and not any more than that.",
        "Repeatable options replace the whole list.",
    ],
)
def test_plain_words_are_not_found(text: str) -> None:
    """Words that only resemble a banned turn are fine."""
    assert not list(found(text))
