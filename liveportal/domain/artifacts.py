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
# What Windows takes for a device, whatever its ending.
_DEVICE = pattern(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*", re.IGNORECASE)
_UNSAFE = pattern(r"[^\w .()+,=@-]")
_SUFFIX = pattern(r"\.[\w-]{1,20}")


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
    if dot and stem and _SUFFIX.fullmatch(f".{suffix}"):
        kept = f"{stem[:LONGEST_NAME]}.{suffix}"
    else:
        kept = plain[:LONGEST_NAME].rstrip(" .-") or NAMELESS
    if _DEVICE.fullmatch(kept.partition(".")[0]):
        kept = f"_{kept}"
    # Asked last: what was cut off may have left such an ending.
    return f"{kept}.txt" if PurePosixPath(kept).suffix.lower() in _RUN else kept
