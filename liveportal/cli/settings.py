"""The user's settings: `config.toml` in the folder for configuration of this user.

A table of the file is declared once, in `TABLES`: its keys, and the reader of each. A key that is
not known is an error, since a misspelled one would be ignored without a word.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from liveportal.domain.errors import InvalidSettings, UnreadableFile
from liveportal.domain.frozen import frozen

FILE_NAME = "config.toml"
LARGEST_BYTES = 1_000_000
MOST_DAYS = 366

Check = Callable[[object], str | None]
"""Returns what a value must be, if it is not that; else None."""


def settings_path() -> Path:
    """Return where the settings are; the file need not exist."""
    if str(sys.platform) == "linux":  # As platformdirs has it, but without importing that.
        folder = os.environ.get("XDG_CONFIG_HOME", "").strip() or "~/.config"
        return Path(folder).expanduser() / "liveportal" / FILE_NAME
    from platformdirs import user_config_path  # Takes as long as half a read; rarely needed.

    return user_config_path("liveportal", appauthor=False) / FILE_NAME


@frozen
class Settings:
    """The tables of the file as they were read and checked; a table that is not there is empty."""

    tables: Mapping[str, Mapping[str, Any]]

    def table(self, name: str) -> Mapping[str, Any]:
        """Return a table such as `reconcile.windows`."""
        return self.tables.get(name, {})


def read_settings(path: Path | None = None) -> Settings:
    """Return the settings; without a file there are none.

    Raises `InvalidSettings`, which names the file and the key, and `UnreadableFile`.
    """
    file = path or settings_path()
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return Settings({})
    except OSError as error:
        raise UnreadableFile(
            f"The settings in {file} cannot be read: {error.strerror}.",
            hint="Make the file readable, or move it away.",
            path=str(file),
        ) from None
    tables: dict[str, Mapping[str, Any]] = {}
    _collect(_parsed(content, file), "", file, tables)
    return Settings(tables)


def _parsed(content: bytes, file: Path) -> Mapping[str, Any]:
    import tomllib

    if len(content) > LARGEST_BYTES:
        raise _invalid(file, "", f"The file is larger than {LARGEST_BYTES:,} bytes.")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _invalid(file, "", f"Byte {error.start + 1} is not UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _invalid(file, "", f"The file is not TOML: {error}.") from None


def _collect(
    document: Mapping[str, Any], name: str, file: Path, tables: dict[str, Mapping[str, Any]]
) -> None:
    """Check a table and those within it, and add them under their names."""
    known = TABLES.get(name, {})
    inner = {each.rpartition(".")[2] for each in TABLES if each and each.rpartition(".")[0] == name}
    values = {}
    for key, value in document.items():
        dotted = f"{name}.{key}".lstrip(".")
        if key in inner and isinstance(value, dict):
            _collect(value, dotted, file, tables)
            continue
        check = known.get(key) or known.get(ANY)
        if check is None or key in inner:
            raise _unknown_key(file, dotted, sorted({*known, *inner}), is_table=key in inner)
        if wanted := check(value):
            raise _invalid(file, dotted, f"{dotted} must be {wanted}.")
        values[key] = value
    tables[name] = values


def _unknown_key(file: Path, key: str, known: list[str], *, is_table: bool) -> InvalidSettings:
    if is_table:
        return _invalid(file, key, f"{key} must be a table: [{key}].")
    return _invalid(
        file, key, f"{key!r} is not a setting.", hint=f"The settings here are: {', '.join(known)}."
    )


def _invalid(file: Path, key: str, reason: str, hint: str | None = None) -> InvalidSettings:
    return InvalidSettings(
        f"{file}: {reason}", hint=hint or "Correct the file and try again.", file=str(file), key=key
    )


# --- what each table may have -----------------------------------------------------------------

ANY = "*"
"""The key of a table that takes any word as a key."""


def _texts(value: object) -> str | None:
    are_texts = isinstance(value, list) and all(isinstance(each, str) and each for each in value)
    return None if are_texts else 'a list of strings, such as ["payouts@help.example"]'


def _days(value: object) -> str | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return None if is_number and 0 <= int(value) <= MOST_DAYS else f"0 to {MOST_DAYS} days"  # type: ignore[call-overload]


def _taught(value: object) -> str | None:
    from liveportal.statements.findings import TAUGHT

    words = [meaning.value for meaning in TAUGHT]
    return None if value in words else f"one of {', '.join(words)}"


def _mapped(value: object) -> str | None:
    return None if isinstance(value, dict | str) else "a table as in a mapping's file, or its path"


TABLES: Mapping[str, Mapping[str, Check]] = {
    "": {},
    "calendar": {"busy": _texts},
    "reconcile": {"payers": _texts},
    "reconcile.windows": dict.fromkeys(("paypal", "wise", "bank"), _days),
    "reconcile.kinds": {ANY: _taught},
    "reconcile.mappings": {ANY: _mapped},
}
"""The tables, with the keys of each and what their values must be."""
