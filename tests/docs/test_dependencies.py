"""Dependencies: locked with hashes for development, and listed with their licences."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NEEDED = [
    Requirement(requirement)
    for requirement in (
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["dev"],
        *PROJECT["optional-dependencies"]["keyring"],
    )
]
LOCK = (ROOT / "requirements-dev.lock").read_text("utf-8")
LOCKED = re.findall(r"^([a-z0-9-]+)==(\S+)((?:.*\\\n)*.*)", LOCK, re.MULTILINE)


@pytest.mark.parametrize("needed", NEEDED, ids=lambda needed: needed.name)
def test_the_lock_has_it_within_its_range(needed: Requirement) -> None:
    """Each dependency that pyproject.toml names; `make lock` rewrites the lock."""
    versions = [version for name, version, _ in LOCKED if name == canonicalize_name(needed.name)]
    assert versions, f"{needed.name} is not locked"
    for version in versions:
        assert Version(version) in needed.specifier


def test_every_version_has_hashes_and_no_place_is_named() -> None:
    """A lock names files by their hashes, and not by their origin."""
    assert len(LOCKED) > len(NEEDED)
    for name, _, rest in LOCKED:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), name
    assert not re.search(r"://|\bindex|find-links|trusted-host|file:| @ ", LOCK)


def test_every_dependency_is_listed_with_its_licence() -> None:
    """`make docs` rewrites docs/DEPENDENCIES.md; copyleft is marked there."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_licenses.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    listed = (ROOT / "docs" / "DEPENDENCIES.md").read_text("utf-8")
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert re.search(rf"^\| {re.escape(requirement.name)} \| `", listed, re.MULTILINE), (
            requirement.name
        )
    assert "unknown" not in listed
    for line in listed.splitlines():
        assert not re.search(r"\b[AL]?GPL|\bMPL", line) or "\\*" in line or "*" in line, line
        assert not re.search(r"(?<!L)\bA?GPL", line), "strong copyleft would reach the program"
