"""What can go wrong, each failure a class with a stable code.

The *families* below say what kind of failure it is; `liveportal.cli.io.errors` maps families to
exit codes. Scripts rely on the codes: they only ever grow in number. Anything that is raised and is
not a `LiveportalError` is a bug.
"""

from __future__ import annotations

from typing import ClassVar, Self


class LiveportalError(Exception):
    """A failure that a user can cause, and can do something about.

    `message` says what failed and why, in one sentence; `hint` says what to do next; `details` are
    the values that a script would otherwise have to read out of the sentence.
    """

    code: ClassVar[str] = "failed"

    def __init__(self, message: str, *, hint: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def located(self, where: str, **details: object) -> Self:
        """Say where in the input it went wrong: `where` comes first in the message."""
        self.message = f"{where}: {self.message}"
        self.args = (self.message,)
        self.details = {**self.details, **details}
        return self


# --- families ---------------------------------------------------------------------------------


class Malformed(LiveportalError):
    """The input itself is wrong, whatever the ledger holds."""

    code = "invalid_input"


class NotFound(LiveportalError):
    """Something that was named does not exist."""

    code = "not_found"


class Refused(LiveportalError):
    """The rules do not allow it."""

    code = "refused"


class Busy(LiveportalError):
    """Somebody else holds the ledger; trying again may help."""

    code = "busy"


class IntegrityFailed(LiveportalError):
    """The ledger is not what it was when it was written."""

    code = "integrity_failed"


class ConfirmationNeeded(LiveportalError):
    """The command must be confirmed, and nobody was there to ask."""

    code = "confirmation_needed"


class OutputFailed(LiveportalError):
    """The results could not be written: a full disk, a folder that is read-only."""

    code = "output_failed"


# --- malformed input --------------------------------------------------------------------------


class OutOfMemory(Malformed):
    """The system has no more memory for what was asked; what was not committed is undone."""

    code = "out_of_memory"


class InvalidEvent(Malformed):
    """An event that is not of the contract's form; `details` name the field and the reason."""

    code = "invalid_event"

    def __init__(self, field: str, reason: str, **details: object) -> None:
        super().__init__(
            f"{field}: {reason}" if field else reason,
            hint="Correct it; nothing of it was recorded.",
            field=field,
            reason=reason,
            **details,
        )
        self.field = field
        self.reason = reason


class InvalidAmount(Malformed):
    """An amount that is not a decimal string with at most the currency's digits."""

    code = "invalid_amount"


class InvalidTime(Malformed):
    """A time that cannot be read, or that the zone's clocks skip or show twice."""

    code = "invalid_time"


class InvalidMonth(Malformed):
    """A month that cannot be read."""

    code = "invalid_month"


class InvalidPolicy(Malformed):
    """A policy with an unknown switch, or a value that the switch does not have."""

    code = "invalid_policy"


class InvalidValue(Malformed):
    """A value outside the form that its field has."""

    code = "invalid_value"


class UnreadableFile(Malformed):
    """A file that cannot be opened or read."""

    code = "unreadable_file"


class InvalidPack(Malformed):
    """A file that is no evidence pack, or whose archive is damaged."""

    code = "invalid_pack"


class NotACalendar(Malformed):
    """A file that should hold an iCalendar object, and does not."""

    code = "not_a_calendar"


class InvalidBackup(Malformed):
    """A file that is no backup of a ledger."""

    code = "invalid_backup"


class BackupLocked(Malformed):
    """An encrypted backup, and what opens it was not given, or is not what opens this one."""

    code = "backup_locked"


class LedgersOwnFile(Malformed):
    """A file that belongs to a ledger (its key, its log, its evidence) was given as input."""

    code = "ledgers_own_file"


class FileChanged(Malformed):
    """A file that was written to while it was read."""

    code = "file_changed"


class NotOpened(Malformed):
    """A file for which the system has no program, or none that could be started."""

    code = "not_opened"


class NotAStatement(Malformed):
    """A file that no `earnings statement` wrote."""

    code = "not_a_statement"


class NoEvents(Malformed):
    """An export without a single event: most likely what should have written it has failed."""

    code = "no_events"


class PartialExport(Malformed):
    """An export that does not begin as a ledger does, and there is no ledger that it adds to."""

    code = "partial_export"


class RejectedLines(Malformed):
    """A feed was recorded but for lines that were written to the rejects file."""

    code = "rejected_lines"


# --- unknown things ---------------------------------------------------------------------------


class UnknownThing(NotFound):
    """No request, session, claim, payout, … of that id."""

    code = "not_found"


class AmbiguousPrefix(NotFound):
    """A prefix that more than one id begins with: it names no one thing."""

    code = "ambiguous_id"


class LedgerNotFound(NotFound):
    """No ledger at that path."""

    code = "ledger_not_found"


class PolicyNotFound(NotFound):
    """No shipped policy of that name, and no such file."""

    code = "policy_not_found"


class NotInVault(NotFound):
    """Evidence that was told of, and whose file nobody attached."""

    code = "not_in_vault"


class KeyNotFound(NotFound):
    """The key to the sealed values is neither in the keyring nor beside the ledger."""

    code = "key_not_found"


class WrongKey(KeyNotFound):
    """A key is there, and it is not the one that the sealed values need; `details` name both."""

    code = "wrong_key"


# --- refused by the rules ---------------------------------------------------------------------


class AlreadyExists(Refused):
    """The id is taken."""

    code = "already_exists"


class WrongState(Refused):
    """A move that the state machine does not have (rulebook 6)."""

    code = "wrong_state"


class ClaimNotOpen(WrongState):
    """The claim is not where this step starts from."""

    code = "claim_not_open"


class ClaimOpen(Refused):
    """The session has an undecided claim already (rulebook 4)."""

    code = "claim_open"


class NothingToRefund(Refused):
    """The session billed nothing, or all of it was given back."""

    code = "nothing_to_refund"


class RefundTooLarge(Refused):
    """More than what is left of what was billed."""

    code = "refund_too_large"


class PartialRefund(Refused):
    """Less than everything, where the policy knows full refunds only (`refund.partial`)."""

    code = "partial_refund"


class PayoutTooLarge(Refused):
    """More than what is owed (rulebook 8)."""

    code = "payout_too_large"


class AmountTooLarge(Refused):
    """More than 2^63-1 minor units, alone or in the books' turnover (rulebook 9)."""

    code = "amount_too_large"


class CurrencyMismatch(Refused):
    """Another currency than the book's."""

    code = "currency_mismatch"


class ImpossibleTime(Refused):
    """Times that cannot be: going back, ending before the start, overlapping pauses."""

    code = "impossible_time"


class SlotNeeded(Refused):
    """A scheduled request needs one of its slots; an instant one has none."""

    code = "slot_needed"


class SlotsPast(Refused):
    """Every slot that the customer proposed has begun already."""

    code = "slots_past"


class CorrectionRefused(Refused):
    """A session that cannot be corrected: a claim is undecided, or money was given back."""

    code = "correction_refused"


class NotReversible(Refused):
    """An event that cannot be reversed, or was already."""

    code = "not_reversible"


class PeriodFixed(Refused):
    """Zone, month rule and currency are fixed once the book has a transaction."""

    code = "period_fixed"


class LedgerExists(Refused):
    """There is a file where a new ledger should go."""

    code = "ledger_exists"


class KeyFileExists(Refused):
    """There is something where a copy of a key should go."""

    code = "key_file_exists"


class BackupExists(Refused):
    """There is something where a new backup should go."""

    code = "backup_exists"


class NotForFeeds(Refused):
    """An event, or a field of one, that a feed must not report: it is the expert's alone.

    `details` name the field.
    """

    code = "not_for_feeds"

    def __init__(self, field: str, reason: str, *, hint: str) -> None:
        super().__init__(f"{field}: {reason}", hint=hint, field=field)


class Conflict(Refused):
    """The id, key or thing was recorded before with other content; `details` name the fields."""

    code = "conflict"

    def __init__(self, what: str, fields: list[str], *, hint: str | None = None) -> None:
        super().__init__(
            f"{what} was recorded before with another {', '.join(fields)}",
            hint=hint or "What is recorded stands. Use a new id or key for something new.",
            fields=fields,
        )
        self.fields = fields


class IncompleteProfile(Refused):
    """A payout profile whose method, form or address would lack what it needs (R12, R14)."""

    code = "profile_incomplete"


class FileTooLarge(Refused):
    """A file larger than what is attached (`attachment_limit`)."""

    code = "file_too_large"


class Caution(Refused):
    """Allowed, but seldom meant: a command refuses it unless told otherwise, a feed flags it.

    `override` is the option that lets it through.
    """

    code = "caution"
    override: ClassVar[str] = "--anyway"


class RateOutOfBounds(Caution):
    """A rate outside the policy's bounds (R1)."""

    code = "rate_out_of_bounds"


class BelowMinimumRate(Caution):
    """A rate below the expert's own minimum (R2)."""

    code = "below_minimum_rate"


class RequestLapsed(Caution):
    """An answer after the request's `expires`."""

    code = "request_expired"


class DoubleBooking(Caution):
    """A slot that overlaps a session which is booked already."""

    code = "double_booking"
    override = "--overlap"


class OnVacation(Caution):
    """A slot in the expert's vacation."""

    code = "on_vacation"


class LateClaim(Caution):
    """A claim after the refund window (R8)."""

    code = "late_claim"
    override = "--late"


class InTheFuture(Caution):
    """Something that would have happened after the time at which it is recorded."""

    code = "in_the_future"


class SlotInPast(Caution):
    """A slot, or a new time of a session, that was in the past already."""

    code = "slot_in_past"


class StartedEarly(Caution):
    """A session that started more than an hour before its planned start."""

    code = "started_early"


class MissedEarly(Caution):
    """A no-show before the planned start."""

    code = "missed_early"


class LongSession(Caution):
    """A session of over twelve hours."""

    code = "long_session"


class LargeTip(Caution):
    """A tip of over 20 minutes at the session's rate, and over twice its gross."""

    code = "large_tip"


class UnlistedMethod(Caution):
    """A payout by a method that the policy does not list (R12)."""

    code = "unlisted_method"


class PossibleDuplicate(Caution):
    """A payout without its id that equals one of the last 60 days in amount and method."""

    code = "possible_duplicate"


class UnfittingTaxForm(Caution):
    """A tax form that is not the one for the country (R14)."""

    code = "unfitting_tax_form"


class ExpiredTaxForm(Caution):
    """A tax form that is no longer valid (R14)."""

    code = "expired_tax_form"


class UnlikelyTaxNumber(Caution):
    """A foreign tax number that is not of the form its country gives."""

    code = "unlikely_tax_number"


class UnreadablePreference(Caution):
    """Hours, rules or notifications of a form that is not ours: they count as not set."""

    code = "unreadable_preference"


# --- the ledger as a file ---------------------------------------------------------------------


class LedgerBusy(Busy):
    """Another process holds the ledger's lock."""

    code = "ledger_busy"


class UnsafeSqlite(Busy):
    """This SQLite could corrupt a ledger in its journal mode."""

    code = "unsafe_sqlite"


class KeyringUnavailable(Busy):
    """The system's keyring does not answer, or is locked."""

    code = "keyring_unavailable"


class NotALedger(IntegrityFailed):
    """The file is something else, or damaged."""

    code = "not_a_ledger"


class NotShared(Refused):
    """An open ledger was taken into another process or thread, where it must not be used."""

    code = "not_shared"


class NewerLedger(Malformed):
    """The ledger was written by a newer program."""

    code = "newer_ledger"


class LedgerUnwritable(Malformed):
    """The ledger, or its folder, cannot be written."""

    code = "ledger_unwritable"


class LedgerLinked(Malformed):
    """The ledger has a second name (a hard link); `details` count its names and list the others."""

    code = "ledger_linked"


class UnsafeVault(Malformed):
    """The vault is a link, or others may enter it."""

    code = "unsafe_vault"


class UnsafeKey(Malformed):
    """The key file is a link, or others may read it."""

    code = "unsafe_key"


class SealBroken(IntegrityFailed):
    """A sealed value that its key does not open: it, or where it lies, was changed."""

    code = "sealed_value_unreadable"


class DamagedFile(IntegrityFailed):
    """A file in the vault whose hash is not the one that was recorded."""

    code = "damaged_file"


class DiskFull(Malformed):
    """The disk is full; the write was rolled back."""

    code = "disk_full"


class BackupUnwritable(OutputFailed):
    """The backup could not be written where it was to go."""

    code = "backup_unwritable"


class BackupIncomplete(IntegrityFailed):
    """A backup was made, but files of the vault are damaged or lost; `details` name them."""

    code = "backup_incomplete"


class DamagedBackup(IntegrityFailed):
    """A backup that is not what was written, or that says of itself what cannot be."""

    code = "damaged_backup"


class MigrationFailed(IntegrityFailed):
    """A ledger of an older form could not be upgraded; it is as it was."""

    code = "migration_failed"


class StatementChanged(IntegrityFailed):
    """A statement, or the ledger that it is held against, is not what it was."""

    code = "statement_changed"


class PackChanged(IntegrityFailed):
    """An evidence pack is not what was written; `details` name each file."""

    code = "pack_changed"


class VerificationFailed(IntegrityFailed):
    """`ledger verify` found a record that is not what was written."""

    code = "verification_failed"


class HeadNotFound(IntegrityFailed):
    """The journal never had the head that was noted or printed: its history was rewritten."""

    code = "head_not_found"


class UnreadableEvent(IntegrityFailed):
    """An event of the journal that is none: its documents are not what the door writes."""

    code = "unreadable_event"
