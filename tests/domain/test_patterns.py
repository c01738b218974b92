"""Patterns that are compiled on first use."""

from __future__ import annotations

import re

import pytest

from liveportal.domain.patterns import pattern


def test_a_pattern_is_compiled_when_it_is_first_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, with its flags; from then on its methods are those of the compiled pattern."""
    compiled: list[tuple[str, int]] = []
    real = re.compile

    def compile_(text: str, flags: int) -> re.Pattern[str]:
        compiled.append((text, flags))
        return real(text, flags)

    monkeypatch.setattr(re, "compile", compile_)
    words = pattern("[a-z]+", re.IGNORECASE)
    assert compiled == []
    assert words.fullmatch("Abc")
    assert not words.fullmatch("a1")
    assert compiled == [("[a-z]+", re.IGNORECASE)]
    assert words.sub("", "a1b") == "1"
    assert words.pattern == "[a-z]+"


def test_what_a_pattern_does_not_have_is_missed() -> None:
    """As of a compiled one."""
    with pytest.raises(AttributeError):
        _ = pattern("a").nothing  # type: ignore[attr-defined]
