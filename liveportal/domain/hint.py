"""What a person can do next, in plain English: the command line spells its commands and options.

A hint names its actions between braces, in words: `Hint("Give {a_later_time}.")` is "Give a later
time." from Python, and what the command line knows the action by in its own messages.
"""

from __future__ import annotations

from collections.abc import Callable


class Hint:
    """Sentences with actions; `details` are the values that actions need, such as ids."""

    def __init__(self, text: str, **details: object) -> None:
        self.text = text
        self.details = details

    @classmethod
    def listing(cls, kind: str) -> Hint:
        """Return the hint that the entities of a kind can be listed."""
        return cls(f"{{The_list_of_{kind}s}} shows every {kind}.")

    def spell(self, spelling: Callable[[str], str]) -> str:
        """Return the text with each action as `spelling` spells it, given its name."""
        return self.text.format_map(_Spellings(self.details, spelling))

    def __str__(self) -> str:
        return self.spell(lambda action: action.replace("_", " "))

    def __repr__(self) -> str:
        return f"Hint({self.text!r}, **{self.details!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hint) and (self.text, self.details) == (other.text, other.details)

    def __hash__(self) -> int:
        return hash(self.text)


class _Spellings(dict[str, object]):
    """The details of a hint, and the spelling of each action."""

    def __init__(self, details: dict[str, object], spelling: Callable[[str], str]) -> None:
        super().__init__(details)
        self._spelling = spelling

    def __missing__(self, action: str) -> str:
        return self._spelling(action)
