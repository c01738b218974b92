"""Find policies: the shipped ones, and files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from liveportal.cli.parse import toml_file
from liveportal.domain.errors import InvalidPolicy, PolicyNotFound, UnreadableFile
from liveportal.domain.policy import DEFAULT_NAME, Policy
from liveportal.ledger.storage.ledger_paths import check_input

LONGEST_FILE = 1_000_000  # In bytes; a policy takes a page.


def shipped_files() -> list[Traversable]:
    """Return the files of the shipped policies; each has the policy's name."""
    folder = files("liveportal.domain") / "policies"
    return [path for path in folder.iterdir() if path.name.endswith(".toml")]


@cache
def shipped_policies() -> tuple[Policy, ...]:
    """Return the shipped policies, the default first."""
    policies = [
        Policy.from_document(toml_file.loads(path.read_text("utf-8"))) for path in shipped_files()
    ]
    return tuple(sorted(policies, key=lambda policy: (policy.name != DEFAULT_NAME, policy.name)))


def load_policy(text: str) -> Policy:
    """Return the shipped policy with this name, or read a TOML file.

    Raises `PolicyNotFound`, `UnreadableFile`, and `InvalidPolicy` for an invalid file.
    """
    for policy in shipped_policies():
        if policy.name == text:
            return policy
    path = Path(text)
    check_input(path)
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except FileNotFoundError:
        names = " and ".join(policy.name for policy in shipped_policies())
        raise PolicyNotFound(
            f"There is neither a policy nor a file with the name {text}.",
            hint=f"The built-in policies are {names}. `liveportal policy show` prints one as an"
            " example of a file.",
        ) from None
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path.", path=text
        ) from None
    if len(content) > LONGEST_FILE:
        raise UnreadableFile(f"{path} is too long for a policy.", hint="Check the path.", path=text)
    try:
        return Policy.from_document(toml_file.loads(content.decode("utf-8")))
    except ValueError as error:  # Also raised for a number with thousands of digits.
        raise InvalidPolicy(
            f"{path} is not a TOML file: {error}.",
            hint="Correct the file, or check the path.",
            path=text,
        ) from None
