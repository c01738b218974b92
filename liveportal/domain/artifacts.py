"""Evidence files by their names: what kind they seem to be, and names that are safe to open."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from liveportal.domain.patterns import pattern
from liveportal.domain.text import clean

KINDS = ("transcript", "attachment", "recording", "code")
LONGEST_NAME = 100
NAMELESS = "evidence"

_SUFFIXES: dict[str, tuple[str, ...]] = {
    "transcript": (".vtt", ".srt", ".txt", ".chat", ".jsonl", ".ndjson"),
    "recording": (
        *(".mp4", ".m4v", ".mkv", ".mov", ".webm", ".avi", ".mp3", ".m4a", ".wav", ".ogg"),
        *(".opus", ".flac", ".aac"),
    ),
    "code": (
        *(".c", ".cc", ".cpp", ".cs", ".css", ".diff", ".go", ".gd", ".glsl", ".h", ".hlsl"),
        *(".hpp", ".html", ".java", ".js", ".json", ".jsx", ".kt", ".lua", ".m", ".patch"),
        *(".php", ".pl", ".ps1", ".py", ".r", ".rb", ".rs", ".scala", ".sh", ".shader", ".sql"),
        *(".swift", ".toml", ".ts", ".tsx", ".uxml", ".vb", ".xml", ".yaml", ".yml"),
    ),
}
_KIND_BY_SUFFIX = {suffix: kind for kind, all_ in _SUFFIXES.items() for suffix in all_}

# What a system runs, or installs, when it is asked to open it: strangers wrote these files.
_RUN = frozenset(
    (
        *(".app", ".appimage", ".applescript", ".bat", ".chm", ".cmd", ".com", ".command", ".cpl"),
        *(".csh", ".deb", ".desktop", ".dmg", ".exe", ".flatpakref", ".fish", ".gadget", ".hta"),
        *(".htm", ".html", ".inf", ".ins", ".iso", ".jar", ".jnlp", ".js", ".jse", ".ksh", ".lnk"),
        *(".mht", ".mhtml", ".msc", ".msi", ".msp", ".pif", ".pkg", ".pl", ".ps1", ".py", ".pyw"),
        *(".rb", ".reg", ".rpm", ".run", ".scf", ".scpt", ".scr", ".sct", ".sh", ".svg", ".term"),
        *(".terminal", ".tool", ".url", ".vb", ".vbe", ".vbs", ".webloc", ".workflow", ".ws"),
        *(".wsc", ".wsf", ".wsh", ".xhtml", ".zsh"),
    )
)
_UNSAFE = pattern(r"[^\w .()+,=@-]")
_SUFFIX = pattern(r"\.\w{1,15}")


def guessed_kind(name: str) -> str:
    """Return what kind of evidence a file seems to be by its name; else an attachment."""
    return _KIND_BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), "attachment")


def safe_name(name: str) -> str:
    """Return a file name from what somebody called a file.

    It names no folder, is of moderate length, and keeps its suffix, by which a program is found,
    unless that program would run it: then it is text.
    """
    last = re.split(r"[/\\]", clean(name))[-1]
    plain = _UNSAFE.sub("_", last).strip(" .-")
    stem, dot, suffix = plain.rpartition(".")
    if not dot or not stem or not _SUFFIX.fullmatch(f".{suffix}"):
        return plain[:LONGEST_NAME] or NAMELESS
    kept = f"{stem[:LONGEST_NAME]}.{suffix}"
    return f"{kept}.txt" if f".{suffix.lower()}" in _RUN else kept
