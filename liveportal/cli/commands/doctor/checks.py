"""The checks of `doctor`: one pure function each.

A check judges the data that was gathered and returns a row; it reads nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from liveportal.cli.commands.doctor.check import (
    FAILED,
    NO_LEDGER,
    NOT_EXAMINED,
    OK,
    SKIPPED,
    WARNING,
    Check,
    Surroundings,
    format_megabytes,
    list_names,
)
from liveportal.domain.clock import to_second
from liveportal.ledger.health import Health

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


def run_checks(health: Health, around: Surroundings, now: datetime) -> list[Check]:
    """Return the rows of all checks, in the order in which problems should be fixed."""
    return [check(health, around, now) for check in CHECKS]


def program(_health: Health, around: Surroundings, _now: datetime) -> Check:
    """Return the versions of the program, Python and the system."""
    return Check("program", OK, f"liveportal {around.version}, {around.python}, {around.system}.")


def sqlite(health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check SQLite: its version, whether it has the WAL-reset bug, and the journal mode."""
    what = f"SQLite {around.sqlite} ({around.sqlite_from})"
    wal = health.head.wal if health.head else None
    if not around.wal_is_safe:
        bug = "has the WAL-reset bug, which can corrupt a ledger with a write-ahead log"
        hint = "Install the pysqlite3 wheel, or a Python with SQLite 3.51.3 or later."
        if wal:
            return Check("sqlite", FAILED, f"{what} {bug}. This ledger has one.", hint)
        return Check("sqlite", WARNING, f"{what} {bug}. A rollback journal is used instead.", hint)
    mode = {
        None: "A new ledger gets a write-ahead log (WAL).",
        True: "The ledger has a write-ahead log (WAL).",
        False: "The ledger has a rollback journal from an older SQLite, which is safe but slower.",
    }[wal]
    return Check("sqlite", OK, f"{what} does not have the WAL-reset bug. {mode}")


def ledger(health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check whether there is a ledger with a known schema version, and what it contains."""
    path = health.path
    if not health.exists:
        hint = "`liveportal init` creates one. --ledger or LIVEPORTAL_LEDGER names another."
        status = FAILED if around.named_ledger else SKIPPED
        return Check("ledger", status, f"There is no ledger at {path}.", hint)
    if not health.is_file:
        return Check("ledger", FAILED, f"{path} is not a file.", "Check the path.")
    if health.inside is not None and health.inside.quick_check == "ok":
        last = health.inside.last_recorded
        when = f" The last one was recorded at {to_second(last)}." if last else ""
        form = f"schema version {health.head.form}, " if health.head else ""
        return Check("ledger", OK, f"{path}: {form}{health.inside.events} events.{when}")
    if health.inside is not None:
        hint = "Keep the file as it is, and restore a backup: `liveportal ledger restore`."
        return Check("ledger", FAILED, f"{path} is damaged.", hint)
    if health.passing:
        what = f"{path} was not examined. {health.problem}"
        return Check("ledger", WARNING, what, health.mend)
    return Check("ledger", FAILED, f"{path}: {health.problem}", health.mend)


def integrity(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Report SQLite's own quick check of the file."""
    if health.inside is None:
        return Check("integrity", SKIPPED, health.problem or NO_LEDGER)
    if health.inside.quick_check != "ok":
        hint = "Keep the file as it is, and restore a backup: `liveportal ledger restore`."
        problem = health.inside.quick_check.rstrip(".")
        return Check("integrity", FAILED, f"SQLite's quick check failed: {problem}.", hint)
    hint = "`liveportal ledger verify` checks every record."
    return Check("integrity", OK, "SQLite's quick check found no damage.", hint)


def place(health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check whether the ledger is on a network file system or in a synced folder."""
    kind = health.file_system or ""
    if kind in NETWORK or (kind.startswith("fuse.") and kind[5:].startswith(NETWORK_FUSE)):
        hint = "Keep the ledger on a local disk, and its backups there."
        wal = health.head is not None and health.head.wal
        what = f"The ledger is on a network file system ({kind}), on which locks are not reliable."
        return Check("place", FAILED if wal else WARNING, what, hint)
    names = [name.replace("\\", "/").rsplit("/", 1)[-1] for name in health.parents]
    cloud = next((name for name in names if name.startswith(CLOUD)), None)
    if cloud or around.has_stfolder:
        hint = "Keep the ledger elsewhere, and write backups into that folder."
        what = (
            f"The ledger is in a synced folder ({cloud or 'Syncthing'}), where two machines may"
            " overwrite each other's changes."
        )
        return Check("place", WARNING, what, hint)
    where = f"a local file system ({kind or 'of unknown type'})"
    return Check("place", OK, f"The ledger is on {where}.")


def modes(health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check whether all files belong to the user and are closed to others."""
    if around.user is None:
        return Check("modes", SKIPPED, "This system has no file modes.")
    if not health.entries:
        return Check("modes", SKIPPED, NO_LEDGER)
    files = [entry for entry in health.entries if entry.what != "folder"]
    others = [file for file in files if file.owner != around.user]
    if others:
        names = list_names([file.path for file in others])
        return Check("modes", WARNING, f"Another user owns {names}.", "Make them yours with chown.")
    opened = [file for file in files if file.is_open_to_others]
    if not opened:
        return Check("modes", OK, f"Only you can open the files of the ledger ({len(files)}).")
    names = list_names([f"{file.path} ({file.mode:o})" for file in opened])
    hint = "Check who could read the files, then close them: chmod go= and the path."
    # Commands refuse to use these.
    refused = any(file.what in ("vault", "key") for file in opened)
    return Check("modes", FAILED if refused else WARNING, f"Other users can open {names}.", hint)


def links(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for links: the ledger may be a symbolic link, the files beside it may not.

    A ledger with a hard link is never written.
    """
    if health.linked is not None:
        return Check("links", FAILED, health.linked.message, health.linked.hint)
    if not health.entries:
        return Check("links", SKIPPED, NO_LEDGER)
    linked = [entry for entry in health.entries if entry.is_link and entry.what != "folder"]
    refused = [entry.path for entry in linked if entry.what in ("vault", "key")]
    if refused:
        hint = "Put the files themselves there. Secrets are never written through a link."
        return Check("links", FAILED, f"A symbolic link: {list_names(refused)}.", hint)
    if linked:
        names = list_names([entry.path for entry in linked])
        hint = "That works. The ledger's other files are beside the file, not beside the link."
        return Check("links", WARNING, f"A symbolic link: {names}.", hint)
    return Check("links", OK, "No file is a link.")


def clock(health: Health, _around: Surroundings, now: datetime) -> Check:
    """Check whether the clock went back or shows an implausible year."""
    hint = "Set the clock. Until then, new events get the time of the last event."
    if not FIRST_YEAR <= now.year <= LAST_YEAR:
        return Check("clock", FAILED, f"The clock shows {to_second(now)}.", hint)
    last = health.inside.last_recorded if health.inside else None
    if last is not None and last > now:
        what = f"The last event was recorded at {to_second(last)}, which is in the future."
        return Check("clock", WARNING, what, hint)
    if health.written_at is not None and health.written_at > now + timedelta(minutes=1):
        what = f"The ledger was written at {to_second(health.written_at)}, which is in the future."
        return Check("clock", WARNING, what, hint)
    return Check("clock", OK, f"The clock shows {to_second(now)}.")


def space(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check whether there is space for a backup, and for an upgrade, which keeps a copy."""
    if health.free_bytes is None:
        return Check("space", SKIPPED, "The free disk space is unknown.")
    free = f"The disk has {format_megabytes(health.free_bytes)} free"
    need = 3 * health.bytes + health.vault_bytes + SPARE_BYTES
    if health.free_bytes < health.bytes + SPARE_BYTES:
        hint = "Free some disk space. Even a single event may fail to be recorded."
        return Check("space", FAILED, f"{free}, but an upgrade needs more.", hint)
    if health.free_bytes < need:
        hint = "Free some disk space, or write backups to another disk."
        what = f"{free}. An upgrade and a backup need {format_megabytes(need)}."
        return Check("space", WARNING, what, hint)
    return Check("space", OK, f"{free}.")


def backup(health: Health, _around: Surroundings, now: datetime) -> Check:
    """Check whether there is a good and recent backup that still exists."""
    hint = "Make one with `liveportal ledger backup`. --to FOLDER --keep 7d,4w,12m suits cron."
    if not health.is_file:
        return Check("backup", SKIPPED, NO_LEDGER)
    last = health.backup
    first = health.inside.first_hash if health.inside else None
    if last is None or (first and last.book and last.book != first):
        return Check("backup", WARNING, "No backup of this ledger yet.", hint)
    when = f"The last backup was made at {to_second(last.made_at)} ({last.path})."
    if not health.backup_is_there:
        return Check("backup", WARNING, f"{when} It is no longer there.", f"Find the file. {hint}")
    if now - last.made_at > OLD_BACKUP:
        return Check("backup", WARNING, f"{when} It is more than a week old.", hint)
    more = (health.inside.events if health.inside else 0) - last.events
    if more > 0:
        return Check(
            "backup",
            WARNING,
            f"{when} {more} event{'s were' if more > 1 else ' was'} recorded since.",
            hint,
        )
    return Check("backup", OK, when)


def replica(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Say whether Litestream copies the ledger: what is erased stays in its files for a time."""
    if health.replica is None:
        return Check("replica", OK, "Litestream does not copy this ledger.")
    hint = "Its files keep what `liveportal ledger forget` erases until they expire."
    return Check("replica", OK, f"Litestream copies this ledger ({health.replica}).", hint)


def left_behind(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for leftovers of a crash, and for copies of the ledger."""
    if health.mark:
        what = "A customer was forgotten, but traces of the personal data remain."
        hint = "Close other programs that read the ledger, then run any command."
        return Check("left_behind", WARNING, what, hint)
    if health.left_behind:
        what = f"A crash may have left these files: {list_names(health.left_behind)}."
        hint = "The next command cleans up a journal. You can delete a .part file after an hour."
        return Check("left_behind", WARNING, what, hint)
    if health.copies:
        what = f"Copies are beside the ledger: {list_names(health.copies)}."
        hint = "Delete them once you are sure that the ledger is in order."
        return Check("left_behind", WARNING, what, hint)
    return Check("left_behind", OK, "No files were left behind.")


def authority(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for events that feeds must not report, which earlier versions recorded."""
    if health.inside is None:
        return Check("authority", SKIPPED, NOT_EXAMINED)
    events = health.inside.unauthorised
    if events:
        names = list_names(
            [f"event {event.seq}, {event.type} from {event.source}" for event in events]
        )
        hints = dict.fromkeys(_ADVICE.get(event.type, _DEFAULT_ADVICE) for event in events)
        what = "An earlier version recorded events from a feed that only you may record"
        return Check("authority", WARNING, f"{what}: {names}.", " ".join(hints))
    return Check("authority", OK, "No feed recorded an event that only you may record.")


def evidence(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for missing files that an event in the expert's name reports without proof."""
    if health.inside is None:
        return Check("evidence", SKIPPED, NOT_EXAMINED)
    if health.absent:
        names = list_names(
            [f"event {file.seq}, in session {file.session}" for file in health.absent]
        )
        what = "These files are not in the vault, and may never have been"
        hint = "If you have the file, attach it again: `liveportal sessions attach SESSION FILE`."
        return Check("evidence", WARNING, f"{what}: {names}.", hint)
    return Check("evidence", OK, "No file needs to be attached again.")


_DEFAULT_ADVICE = "Compare the event with what you did, and correct or dispute what is wrong."
_ADVICE = {
    "policy.adopted": "`liveportal policy list` shows each policy that was adopted;"
    " `policy use NAME` puts yours in force again.",
    "preferences.changed": "Check `liveportal preferences show`;"
    " `preferences set` puts yours back.",
    "payout_profile.changed": "Check `liveportal payout profile check`;"
    " `payout profile set --start-over` enters the profile again.",
    "payout_profile.revealed": "A feed cannot reveal anything, so you do not have to do anything.",
    "customer.forgotten": "Only an earlier backup still has the erased data:"
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
        "Add the key from your copy, or enter the profile again:"
        " `liveportal payout profile set --start-over`."
    )
    if health.key_problem is not None:
        return Check(
            "key", FAILED, health.key_problem, "Make it a file that only you may read: chmod 600."
        )
    if health.inside is None:
        return Check("key", SKIPPED, NOT_EXAMINED)
    if sealed_by is None:
        return Check("key", OK, "Nothing is encrypted, so no key is needed.")
    if health.key_ids is not None:
        if sealed_by in health.key_ids:
            return Check(
                "key", OK, "The key file has the key of the encrypted values.", _KEEP_KEY_HINT
            )
        what = f"The key file does not have the key that is needed ({sealed_by})."
        return Check("key", FAILED, what, recovery_hint)
    if around.keyring:
        what = (
            "There is no key file. The key should be in the system's keyring, which was not opened."
        )
        return Check("key", WARNING, what, "`liveportal payout profile show` opens the keyring.")
    what = "The key of the encrypted values is missing: there is neither a key file nor a keyring."
    return Check("key", FAILED, what, recovery_hint)


_KEEP_KEY_HINT = "Keep a copy of the key file, apart from the backups."


def imported(health: Health, _around: Surroundings, _now: datetime) -> Check:
    """Check for data that an import could not transfer and that must be entered again."""
    if health.inside is None:
        return Check("imported", SKIPPED, NOT_EXAMINED)
    fields, files = health.inside.enter_again, health.inside.attach_again
    tasks, hints = [], []
    if fields:
        tasks.append(f"Enter again in the payout profile: {', '.join(fields)}.")
        hints.append("`liveportal payout profile set` asks for the values.")
    if files:
        tasks.append(f"Attach {files} {'file' if files == 1 else 'files'} again.")
        hints.append("`liveportal ledger verify` names the files for `liveportal sessions attach`.")
    if not tasks:
        return Check("imported", OK, "Nothing needs to be entered or attached again.")
    what = f"The import could not restore everything. {' '.join(tasks)}"
    return Check("imported", WARNING, what, " ".join(hints))


def time_zones(_health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check whether the zones of the contract and the expert are known, and from where."""
    missing = [f"{name} (the {whose}'s)" for whose, name, known in around.zones if not known]
    hint = "Install the package tzdata, or correct the zone: `preferences set --timezone`."
    if missing:
        return Check("time_zones", FAILED, f"Unknown time zones: {', '.join(missing)}.", hint)
    package = f"the package tzdata {around.tzdata}"
    if around.tzdata is None and around.zone_source == "none":
        return Check("time_zones", FAILED, "There is no time-zone data.", hint)
    if around.zone_source == "none":
        return Check("time_zones", OK, f"Time zones come from {package}.")
    if around.tzdata is None:
        what = (
            f"Time zones come from {around.zone_source}, without the package tzdata as a fallback."
        )
        return Check("time_zones", WARNING, what, "Install the package tzdata.")
    return Check(
        "time_zones", OK, f"Time zones come from {around.zone_source}, or else from {package}."
    )


def terminal(_health: Health, around: Surroundings, _now: datetime) -> Check:
    """Check the terminal's encoding, width and colour."""
    if not around.is_terminal:
        return Check("terminal", SKIPPED, "Standard output is not a terminal, so rows are written.")
    if around.encoding.casefold().replace("-", "") != "utf8":
        hint = "Set a UTF-8 locale, such as LANG=C.UTF-8."
        what = f"The terminal's encoding is {around.encoding}, so some characters become '?'."
        return Check("terminal", WARNING, what, hint)
    if around.width < NARROW:
        what = f"The terminal is only {around.width} columns wide, so tables lose columns."
        return Check("terminal", WARNING, what, "Make the terminal wider, or use --json.")
    colour = "in colour" if around.colour else "without colour (NO_COLOR or TERM=dumb)"
    return Check("terminal", OK, f"UTF-8, {around.width} columns, {colour}.")


def extras(_health: Health, around: Surroundings, _now: datetime) -> Check:
    """Report which optional dependencies are installed."""
    if around.keyring_installed:
        return Check("extras", OK, "The package keyring is installed.")
    hint = "pip install 'liveportal[keyring]' keeps the key in the system's keyring."
    return Check(
        "extras", OK, "The package keyring is not installed. Keys are kept in files.", hint
    )


CheckFunction = Callable[[Health, Surroundings, datetime], Check]

CHECKS: tuple[CheckFunction, ...] = (
    *(
        program,
        sqlite,
        ledger,
        integrity,
        place,
        modes,
        links,
        clock,
        space,
        backup,
        replica,
        left_behind,
    ),
    *(authority, evidence, imported, key, time_zones, terminal, extras),
)
