"""The checks of `doctor`: one pure function each.

A check judges the data that was gathered and returns a row; it reads nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from liveportal.domain.clock import short_text
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint
from liveportal.domain.row import Row
from liveportal.ledger.health import Health

OK, WARNING, FAILED, SKIPPED = "ok", "warning", "failed", "skipped"

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "9p", "ceph", "davfs"}
    | {"glusterfs", "lustre", "ncpfs", "ocfs2", "gfs2", "webdav", "virtiofs", "vboxsf", "vmhgfs"}
)
NETWORK_FUSE = ("sshfs", "rclone", "s3fs", "gcsfuse", "davfs", "curlftpfs", "glusterfs", "vmhgfs")
CLOUD = (
    *("Dropbox", "OneDrive", "Google Drive", "GoogleDrive", "My Drive", "Mobile Documents"),
    *("iCloud Drive", "iCloudDrive", "Nextcloud", "ownCloud", "pCloud", "pCloudDrive", "Sync"),
    *("Box Sync", "MEGAsync", "SeaDrive", "Seafile", "CloudStorage"),
)
OLD_BACKUP = timedelta(days=7)
FIRST_YEAR, LAST_YEAR = 2018, 2100
SPARE_BYTES = 10_000_000
NARROW = 80
MOST_NAMES = 3
"""How many paths a message names."""


@frozen
class Check(Row):
    """The row of a check: its name, its status, a message, and how to fix it."""

    check: str
    status: str
    message: str
    hint: Hint | str | None = None


@frozen
class Surroundings:
    """The program's environment. `zones` are (whose, name, whether it is available)."""

    version: str
    python: str
    system: str
    sqlite: str
    sqlite_from: str
    wal_is_safe: bool
    user: int | None
    named_ledger: bool
    keyring: bool
    keyring_installed: bool
    tzdata: str | None
    zone_source: str
    zones: tuple[tuple[str, str, bool], ...]
    has_stfolder: bool
    is_terminal: bool
    encoding: str
    width: int
    colour: bool


def run_checks(health: Health, around: Surroundings, now: datetime) -> list[Check]:
    """Return the rows of all checks, in the order in which problems should be fixed."""
    return [check(health, around, now) for check in CHECKS]


def program(_health: Health, around: Surroundings, _now: datetime) -> Check:
    """Return the versions of the program, Python and the system."""
    return Check("program", OK, f"liveportal {around.version}, {around.python}, {around.system}")


def sqlite(health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check SQLite: its version, whether it has the WAL-reset bug, and the journal mode."""
    what = f"SQLite {around.sqlite} ({around.sqlite_from})"
    wal = health.head.wal if health.head else None
    if not around.wal_is_safe:
        bug = "has the WAL-reset bug, which can corrupt a ledger with a write-ahead log"
        hint = "Install the pysqlite3 wheel, or a Python with SQLite 3.51.3 or later."
        if wal:
            return Check("sqlite", FAILED, f"{what} {bug}, and this ledger has one", hint)
        return Check("sqlite", WARNING, f"{what} {bug}: a rollback journal is used", hint)
    mode = {
        None: "a new ledger gets a write-ahead log",
        True: "the ledger has a write-ahead log (WAL)",
        False: "the ledger has a rollback journal, as an older SQLite made it: safe, if slower",
    }[wal]
    return Check("sqlite", OK, f"{what} is free of the WAL-reset bug; {mode}")


def ledger(health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check whether there is a ledger with a known schema version, and what it contains."""
    path = health.path
    if not health.exists:
        hint = "`liveportal init` makes one; --ledger or LIVEPORTAL_LEDGER names another."
        return Check("ledger", FAILED if around.named_ledger else SKIPPED, f"none at {path}", hint)
    if not health.is_file:
        return Check("ledger", FAILED, f"{path} is not a file", "Look what is there.")
    if health.inside is not None and health.inside.quick_check == "ok":
        last = health.inside.last_recorded
        when = f", the last recorded at {short_text(last)}" if last else ""
        form = f"form {health.head.form}, " if health.head else ""
        return Check("ledger", OK, f"{path}: {form}{health.inside.events} events{when}")
    if health.inside is not None:
        hint = "Keep the file as it is, and restore a backup: `liveportal ledger restore`."
        return Check("ledger", FAILED, f"{path} is damaged", hint)
    if health.passing:
        what = f"{path} was not looked into: {health.problem}"
        return Check("ledger", WARNING, what, health.mend)
    return Check("ledger", FAILED, f"{path}: {health.problem}", health.mend)


def integrity(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Report SQLite's own quick check of the file."""
    if health.inside is None:
        return Check("integrity", SKIPPED, health.problem or "there is no ledger")
    if health.inside.quick_check != "ok":
        hint = "Keep the file as it is, and restore a backup: `liveportal ledger restore`."
        return Check("integrity", FAILED, f"quick_check: {health.inside.quick_check}", hint)
    hint = "`liveportal ledger verify` proves every record."
    return Check("integrity", OK, "the file is sound (quick_check)", hint)


def place(health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check whether the ledger is on a network file system or in a synced folder."""
    kind = health.file_system or ""
    if kind in NETWORK or (kind.startswith("fuse.") and kind[5:].startswith(NETWORK_FUSE)):
        hint = "Keep the ledger on a disk of this machine, and its backups there."
        wal = health.head is not None and health.head.wal
        what = f"the ledger lies on a network file system ({kind}), whose locks cannot be relied on"
        return Check("place", FAILED if wal else WARNING, what, hint)
    names = [name.replace("\\", "/").rsplit("/", 1)[-1] for name in health.parents]
    cloud = next((name for name in names if name.startswith(CLOUD)), None)
    if cloud or around.has_stfolder:
        hint = "Keep the ledger elsewhere, and write backups into that folder."
        what = f"the ledger lies in a folder that is synced ({cloud or 'Syncthing'}): two machines"
        return Check("place", WARNING, f"{what} may overwrite each other's", hint)
    return Check("place", OK, f"a file system of this machine ({kind or 'of unknown type'})")


def modes(health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check whether all files belong to the user and are closed to others."""
    if around.user is None:
        return Check("modes", SKIPPED, "this system has no such modes")
    if not health.entries:
        return Check("modes", SKIPPED, "there is no ledger")
    files = [entry for entry in health.entries if entry.what != "folder"]
    others = [file for file in files if file.owner != around.user]
    if others:
        names = _list_names([file.path for file in others])
        return Check("modes", WARNING, f"not your own: {names}", "Take them over with chown.")
    opened = [file for file in files if file.is_open_to_others]
    if not opened:
        return Check("modes", OK, f"all that is there is yours alone ({len(files)} looked at)")
    names = _list_names([f"{file.path} ({file.mode:o})" for file in opened])
    hint = "Look who could read it, then close it: chmod go= and the path."
    # Commands refuse to use these.
    refused = any(file.what in ("vault", "key") for file in opened)
    return Check("modes", FAILED if refused else WARNING, f"open to others: {names}", hint)


def links(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for links: the ledger may be a symbolic link, the files beside it may not.

    A ledger with a hard link is never written.
    """
    if health.linked is not None:
        return Check("links", FAILED, health.linked.message, health.linked.hint)
    if not health.entries:
        return Check("links", SKIPPED, "there is no ledger")
    linked = [entry for entry in health.entries if entry.is_link and entry.what != "folder"]
    refused = [entry.path for entry in linked if entry.what in ("vault", "key")]
    if refused:
        hint = "Put the files themselves there: nothing secret is written through a link."
        return Check("links", FAILED, f"a link: {_list_names(refused)}", hint)
    if linked:
        names = _list_names([entry.path for entry in linked])
        hint = "That works; what belongs to it lies beside the file, not beside the link."
        return Check("links", WARNING, f"a link: {names}", hint)
    return Check("links", OK, "nothing is a link")


def clock(health: Health, _around: Surroundings, now: datetime) -> Check:
    """Check whether the clock went back or shows an implausible year."""
    hint = "Set the clock. What is recorded meanwhile gets the time of the last event."
    if not FIRST_YEAR <= now.year <= LAST_YEAR:
        return Check("clock", FAILED, f"the clock says {short_text(now)}", hint)
    last = health.inside.last_recorded if health.inside else None
    if last is not None and last > now:
        what = f"the last event was recorded at {short_text(last)}, which is yet to come"
        return Check("clock", WARNING, what, hint)
    if health.written_at is not None and health.written_at > now + timedelta(minutes=1):
        what = f"the ledger was written at {short_text(health.written_at)}, which is yet to come"
        return Check("clock", WARNING, what, hint)
    return Check("clock", OK, f"it is {short_text(now)}")


def space(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check whether there is space for a backup, and for an upgrade, which keeps a copy."""
    if health.free_bytes is None:
        return Check("space", SKIPPED, "it is not known how much room there is")
    free = f"{_format_megabytes(health.free_bytes)} are free"
    need = 3 * health.bytes + health.vault_bytes + SPARE_BYTES
    if health.free_bytes < health.bytes + SPARE_BYTES:
        hint = "Make room: even a single event may not be recorded."
        return Check("space", FAILED, f"{free}, and an upgrade needs more", hint)
    if health.free_bytes < need:
        hint = "Make room, or write backups elsewhere."
        return Check(
            "space", WARNING, f"{free}; upgrade and backup need {_format_megabytes(need)}", hint
        )
    return Check("space", OK, free)


def backup(health: Health, _around: Surroundings, now: datetime) -> Check:
    """Check whether there is a good and recent backup that still exists."""
    hint = "`liveportal ledger backup` makes one; --to FOLDER --keep 7d,4w,12m suits cron."
    if not health.is_file:
        return Check("backup", SKIPPED, "there is no ledger")
    last = health.backup
    first = health.inside.first_hash if health.inside else None
    if last is None or (first and last.book and last.book != first):
        return Check("backup", WARNING, "no backup of this ledger is known of", hint)
    when = f"the last one is of {short_text(last.made_at)} ({last.path})"
    if not health.backup_is_there:
        return Check("backup", WARNING, f"{when}: it is not there now", f"Look for it, or: {hint}")
    if now - last.made_at > OLD_BACKUP:
        return Check("backup", WARNING, f"{when}: that is long ago", hint)
    more = (health.inside.events if health.inside else 0) - last.events
    if more > 0:
        return Check("backup", WARNING, f"{when}; {more} events were recorded since", hint)
    return Check("backup", OK, when)


def left_behind(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for leftovers of a crash, and for copies of the ledger."""
    if health.mark:
        what = "a customer was forgotten, and traces are left"
        hint = "Close other programs that read the ledger, then run any command."
        return Check("left_behind", WARNING, what, hint)
    if health.left_behind:
        what = f"a crash may have left: {_list_names(health.left_behind)}"
        hint = "A journal is taken care of by the next command; a .part may be deleted in an hour."
        return Check("left_behind", WARNING, what, hint)
    if health.copies:
        what = f"copies of the ledger beside it: {_list_names(health.copies)}"
        hint = "Once you are sure that all is well, they may be deleted."
        return Check("left_behind", WARNING, what, hint)
    return Check("left_behind", OK, "nothing was left behind")


def authority(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for events that feeds must not report, which earlier versions recorded."""
    if health.inside is None:
        return Check("authority", SKIPPED, "the ledger was not looked into")
    events = health.inside.unauthorised
    if events:
        names = _list_names(
            [f"event {event.seq}, {event.type} of {event.source}" for event in events]
        )
        hints = dict.fromkeys(_ADVICE.get(event.type, _DEFAULT_ADVICE) for event in events)
        what = "an earlier version recorded what only you may say from a feed"
        return Check("authority", WARNING, f"{what}: {names}", " ".join(hints))
    return Check("authority", OK, "no feed said what only you may say")


def evidence(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for missing files that an event in the expert's name reports without proof."""
    if health.inside is None:
        return Check("evidence", SKIPPED, "the ledger was not looked into")
    if health.absent:
        names = _list_names(
            [f"event {file.seq}, of session {file.session}" for file in health.absent]
        )
        what = "files that may never have been in the vault, and are not there"
        hint = "If you have the file, attach it again: `liveportal sessions attach SESSION FILE`."
        return Check("evidence", WARNING, f"{what}: {names}", hint)
    return Check("evidence", OK, "no file has to be attached again")


_DEFAULT_ADVICE = "Compare what it says with what you did, and correct or dispute what is wrong."
_ADVICE = {
    "policy.adopted": "`liveportal policy list` shows each policy that was adopted;"
    " `policy use NAME` puts yours in force again.",
    "preferences.changed": "Check `liveportal preferences show`;"
    " `preferences set` puts yours back.",
    "payout_profile.changed": "Check `liveportal payout profile check`;"
    " `payout profile set --start-over` enters the profile again.",
    "payout_profile.revealed": "A feed cannot reveal anything: nothing is to be done about it.",
    "customer.forgotten": "Only a backup from before it still has what was erased:"
    " `liveportal ledger restore`.",
    "entry.reversed": "If the entry was right, record it again.",
}
"""How to undo an event that a feed must not report, by its type."""


def key(  # noqa: PLR0911 (a table: one line per case)
    health: Health, around: Surroundings, _now: datetime
) -> Check:
    """Check whether the key of the encrypted values is available; the keyring is not opened."""
    sealed_by = health.inside.sealed_by if health.inside else None
    recovery_hint = (
        "Add the key from your copy, or enter the profile again: payout profile set --start-over"
    )
    if health.key_problem is not None:
        return Check("key", FAILED, health.key_problem, "Make it a file of your own: chmod 600.")
    if health.inside is None:
        return Check("key", SKIPPED, "the ledger was not looked into")
    if sealed_by is None:
        return Check("key", OK, "nothing is sealed: no key is needed")
    if health.key_ids is not None:
        if sealed_by in health.key_ids:
            return Check("key", OK, "the key file fits the sealed values", _KEEP_KEY_HINT)
        what = f"the key file has another key than the one that is needed ({sealed_by})"
        return Check("key", FAILED, what, recovery_hint)
    if around.keyring:
        what = "there is no key file; the key should be in the system's keyring, which is not asked"
        return Check("key", WARNING, what, "`liveportal payout profile show` uses it.")
    what = "there is no key to the sealed values: no key file, and no keyring in use"
    return Check("key", FAILED, what, recovery_hint)


_KEEP_KEY_HINT = "Keep a copy of it, apart from the backups."


def imported(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for data that an import could not transfer and that must be entered again."""
    if health.inside is None:
        return Check("imported", SKIPPED, "the ledger was not looked into")
    fields, files = health.inside.enter_again, health.inside.attach_again
    tasks, hints = [], []
    if fields:
        tasks.append(f"enter again {', '.join(fields)} of the payout profile")
        hints.append("`liveportal payout profile set` asks for the values.")
    if files:
        tasks.append(f"attach again {files} {'file' if files == 1 else 'files'}")
        hints.append("`liveportal ledger verify` names the files for `liveportal sessions attach`.")
    if not tasks:
        return Check("imported", OK, "nothing has to be entered or attached again")
    return Check("imported", WARNING, f"after the import, {' and '.join(tasks)}", " ".join(hints))


def time_zones(_health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check whether the zones of the contract and the expert are known, and from where."""
    missing = [f"{name} (the {whose}'s)" for whose, name, known in around.zones if not known]
    hint = "Install the package tzdata, or correct the zone: `preferences set --timezone`."
    if missing:
        return Check("time_zones", FAILED, f"not known: {', '.join(missing)}", hint)
    package = f"package tzdata {around.tzdata}" if around.tzdata else "no package tzdata"
    if around.tzdata is None and around.zone_source == "none":
        return Check("time_zones", FAILED, "there is no time-zone data", hint)
    if around.zone_source == "none":
        return Check("time_zones", OK, f"from the {package}")
    if around.tzdata is None:
        what = f"from {around.zone_source}; {package} to fall back on"
        return Check("time_zones", WARNING, what, "Install the package tzdata.")
    return Check("time_zones", OK, f"from {around.zone_source}, else the {package}")


def terminal(_health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check the terminal's encoding, width and colour."""
    if not around.is_terminal:
        return Check("terminal", SKIPPED, "standard output is no terminal: rows are written")
    if around.encoding.casefold().replace("-", "") != "utf8":
        hint = "Set the locale to one of UTF-8, such as LANG=C.UTF-8."
        what = f"its encoding is {around.encoding}: some characters become '?'"
        return Check("terminal", WARNING, what, hint)
    if around.width < NARROW:
        what = f"it is {around.width} columns wide: tables will be broken"
        return Check("terminal", WARNING, what, "Make it wider, or use --json.")
    colour = "in colour" if around.colour else "without colour (NO_COLOR or TERM=dumb)"
    return Check("terminal", OK, f"UTF-8, {around.width} columns, {colour}")


def extras(_health: Health, around: Surroundings, _now: datetime) -> Check:
    """Report which optional dependencies are installed."""
    if around.keyring_installed:
        return Check("extras", OK, "keyring: installed")
    hint = "pip install 'liveportal[keyring]' keeps the key in the system's keyring."
    return Check("extras", OK, "keyring: not installed; keys are kept in files", hint)


def _list_names(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - MOST_NAMES} more" if len(paths) > MOST_NAMES else ""
    return ", ".join(paths[:MOST_NAMES]) + more


def _format_megabytes(count: int) -> str:
    return f"{count / 1_000_000:,.0f} MB"


CheckFunction = Callable[[Health, Surroundings, datetime], Check]

CHECKS: tuple[CheckFunction, ...] = (
    *(program, sqlite, ledger, integrity, place, modes, links, clock, space, backup, left_behind),
    *(authority, evidence, imported, key, time_zones, terminal, extras),
)
