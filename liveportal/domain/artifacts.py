"""Evidence files by name: their likely kind, and file names that are safe to open."""

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
_KIND_BY_SUFFIX = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes}

# Suffixes of files that a system runs or installs when it opens them: the files are untrusted.
_EXECUTABLE = frozenset(
    (
        *(".app", ".appimage", ".appinstaller", ".application", ".applescript", ".appref-ms"),
        *(".appx", ".bat", ".chm", ".cmd", ".com", ".command", ".cpl", ".csh", ".deb", ".desktop"),
        *(".diagcab", ".dmg", ".exe", ".fileloc", ".fish", ".flatpakref", ".gadget", ".hlp"),
        *(".hta", ".htm", ".html", ".img", ".inetloc", ".inf", ".ins", ".iqy", ".iso", ".jar"),
        *(".jnlp", ".js", ".jse", ".ksh", ".library-ms", ".lnk", ".mht", ".mhtml", ".mpkg"),
        *(".msc", ".msi", ".msix", ".msp", ".mst", ".pif", ".pkg", ".pl", ".prefpane", ".ps1"),
        *(".ps1xml", ".psm1", ".py", ".pyw", ".rb", ".reg", ".rpm", ".run", ".scf", ".scpt"),
        *(".scr", ".sct", ".search-ms", ".searchconnector-ms", ".settingcontent-ms", ".sh"),
        *(".slk", ".svg", ".term", ".terminal", ".theme", ".tool", ".url", ".vb", ".vbe", ".vbs"),
        *(".vhd", ".vhdx", ".webloc", ".workflow", ".ws", ".wsb", ".wsc", ".wsf", ".wsh"),
        *(".xbap", ".xhtml", ".xip", ".xll", ".zsh"),
    )
)
# Names that Windows treats as devices, with any suffix.
_DEVICE = pattern(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*", re.IGNORECASE)
_UNSAFE = pattern(r"[^\w .()+,=@-]")
_SUFFIX = pattern(r"\.[\w-]{1,20}")


def guessed_kind(name: str) -> str:
    """Return the likely kind of an evidence file by its suffix; by default an attachment."""
    return _KIND_BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), "attachment")


def safe_name(name: str) -> str:
    """Return a safe file name for a name that came from outside.

    It contains no folder and at most about 100 characters, and keeps its suffix, so that the right
    program opens it. If that program would run the file, `.txt` is appended.
    """
    base_name = re.split(r"[/\\]", clean(name))[-1]
    plain = _UNSAFE.sub("_", base_name).strip(" .-")
    stem, dot, suffix = plain.rpartition(".")
    if dot and stem and _SUFFIX.fullmatch(f".{suffix}"):
        safe = f"{stem[:LONGEST_NAME]}.{suffix}"
    else:
        safe = plain[:LONGEST_NAME].rstrip(" .-") or NAMELESS
    if _DEVICE.fullmatch(safe.partition(".")[0]):
        safe = f"_{safe}"
    # Checked last: the truncation may have produced such a suffix.
    return f"{safe}.txt" if PurePosixPath(safe).suffix.lower() in _EXECUTABLE else safe
