"""Finding policies: those that ship, and files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from liveportal.cli.parse import toml_file
from liveportal.domain.errors import InvalidPolicy, PolicyNotFound, UnreadableFile
from liveportal.domain.policy import DEFAULT_NAME, Policy
from liveportal.ledger.storage.ledger_paths import check_input

LONGEST_FILE = 1_000_000  # Bytes; a policy is a page.


@cache
def shipped() -> tuple[Policy, ...]:
    """Return the shipped policies, the default first."""
    folder = files("liveportal.domain") / "policies"
    found = [
        Policy.from_document(toml_file.loads(each.read_text("utf-8")))
        for each in folder.iterdir()
        if each.name.endswith(".toml")
    ]
    return tuple(sorted(found, key=lambda policy: (policy.name != DEFAULT_NAME, policy.name)))


def load(text: str) -> Policy:
    """Return the shipped policy of that name, or read a TOML file.

    Raises `PolicyNotFound`, `UnreadableFile`, and `InvalidPolicy` for what is wrong in it.
    """
    for policy in shipped():
        if policy.name == text:
            return policy
    path = Path(text)
    check_input(path)
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except FileNotFoundError:
        names = ", ".join(policy.name for policy in shipped())
        raise PolicyNotFound(
            f"there is no policy {text}, and no such file",
            hint=f"Shipped are {names}; a file is TOML, with a switch `table.key` in its [table].",
        ) from None
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}", path=text) from None
    if len(content) > LONGEST_FILE:
        raise UnreadableFile(f"{path} is too long for a policy", path=text)
    try:
        return Policy.from_document(toml_file.loads(content.decode("utf-8")))
    except ValueError as error:  # Also a number of thousands of digits.
        raise InvalidPolicy(f"{path} is not TOML: {error}", path=text) from None
