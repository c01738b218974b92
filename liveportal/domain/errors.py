"""The errors that users can cause; each is a class with a stable code.

The *families* below classify the failure; `liveportal.cli.io.errors` maps families to exit codes.
Scripts rely on the codes: new ones are added, none are removed. Any exception that is not a
`LiveportalError` is a bug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from liveportal.domain.hint import Hint


_THIS_LINE = "This line"
"""The subject of an error about a whole line, until the number of the line is known."""


class LiveportalError(Exception):
    """A failure that a user can cause and do something about.

    `message` says what failed and why, in full sentences; `hint` says what to do next; `details`
    are the values that a script would otherwise have to parse from the message.
    """

    code: ClassVar[str] = "failed"

    def __init__(self, message: str, *, hint: Hint | str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details
        self._place = self._text = ""

    def located(self, where: str, **details: object) -> Self:
        """Put the place in the input before the message: `Line 3`, then `Line 3 of feed.jsonl`."""
        self._text = self._text or self.message
        self._place = f"{self._place} of {where}" if self._place else where
        about_line = self._text.startswith(_THIS_LINE)
        rest = self._text.removeprefix(_THIS_LINE) if about_line else f": {self._text}"
        self.message = self._place + rest
        self.args = (self.message,)
        self.details = {**self.details, **details}
        return self


def about(subject: str, reason: str) -> str:
    """Return the sentence about a subject: `reason` is its predicate, or a sentence of its own."""
    return f"{subject} is not valid: {reason}" if reason.endswith(".") else f"{subject} {reason}."


# --- families ---------------------------------------------------------------------------------


class Malformed(LiveportalError):
    """The input itself is invalid, independent of the ledger's contents."""

    code = "invalid_input"


class NotFound(LiveportalError):
    """Something that was named does not exist."""

    code = "not_found"


class Refused(LiveportalError):
    """The rules do not allow it."""

    code = "refused"


class Busy(LiveportalError):
    """Another process holds the ledger; trying again may help."""

    code = "busy"


class IntegrityFailed(LiveportalError):
    """The ledger is not as it was written."""

    code = "integrity_failed"


class ConfirmationNeeded(LiveportalError):
    """The command must be confirmed, but cannot ask: it is not interactive."""

    code = "confirmation_needed"


class OutputFailed(LiveportalError):
    """The results could not be written, for example to a full disk or a read-only folder."""

    code = "output_failed"


# --- malformed input --------------------------------------------------------------------------


class OutOfMemory(Malformed):
    """The system has too little memory for the command; uncommitted changes were rolled back."""

    code = "out_of_memory"


class InvalidEvent(Malformed):
    """An event that violates the contract; `details` name the field and the reason.

    The reason is a predicate, such as "must be a string", or a full sentence.
    """

    code = "invalid_event"

    def __init__(self, field: str, reason: str, **details: object) -> None:
        super().__init__(
            about(f"The field {field}" if field else _THIS_LINE, reason),
            hint="Nothing was recorded. Correct the input and try again.",
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
    """A time that cannot be parsed, or that a clock change skips or repeats."""

    code = "invalid_time"


class InvalidMonth(Malformed):
    """A month that cannot be parsed."""

    code = "invalid_month"


class InvalidPolicy(Malformed):
    """A policy with an unknown switch, or with a value that the switch does not allow."""

    code = "invalid_policy"


class InvalidValue(Malformed):
    """A value that its field does not allow."""

    code = "invalid_value"


class InvalidArgument(Malformed):
    """An argument of the Python interface that it does not accept; `details` name it."""

    code = "invalid_argument"

    def __init__(self, argument: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(about(f"The argument {argument}", reason), hint=hint, argument=argument)


class NotInstalled(NotFound):
    """Another program that the command runs is not installed."""

    code = "not_installed"


class ProgramFailed(Malformed):
    """Another program that the command runs ended with an error, or gave no usable answer."""

    code = "program_failed"


class BadSignature(Malformed):
    """A captured webhook whose signature is missing, or was not made with the secret."""

    code = "bad_signature"


class RateNeeded(Malformed):
    """A booking needs a rate, and neither the user nor the preferences name one."""

    code = "rate_needed"


class UnreadableFile(Malformed):
    """A file that cannot be opened or read."""

    code = "unreadable_file"


class InvalidPack(Malformed):
    """A file that is not an evidence pack, or whose archive is damaged."""

    code = "invalid_pack"


class NotACalendar(Malformed):
    """A file that should hold an iCalendar object but does not."""

    code = "not_a_calendar"


class InvalidBackup(Malformed):
    """A file that is not a backup of a ledger."""

    code = "invalid_backup"


class InvalidExport(Malformed):
    """A file that is not an export with files, or was changed since."""

    code = "invalid_export"


class BackupLocked(Malformed):
    """An encrypted backup whose passphrase or identity is missing or wrong."""

    code = "backup_locked"


class LedgersOwnFile(Malformed):
    """A file of a ledger (its key, its log, its evidence) was given as input."""

    code = "ledgers_own_file"


class FileChanged(Malformed):
    """A file that changed while it was read."""

    code = "file_changed"


class NotOpened(Malformed):
    """A file for which the system has no program, or none that could be started."""

    code = "not_opened"


class NotAStatement(Malformed):
    """A file that `earnings statement` did not write."""

    code = "not_a_statement"


class NoEvents(Malformed):
    """An export without events: the program that should have written it probably failed."""

    code = "no_events"


class PartialExport(Malformed):
    """An export that does not start at the beginning, and no ledger that it continues."""

    code = "partial_export"


class RejectedLines(Malformed):
    """A feed was recorded, except for lines that were written to the rejects file."""

    code = "rejected_lines"


class InvalidSettings(Malformed):
    """Settings with an unknown key or a wrong value; `details` name the file and the key."""

    code = "invalid_settings"


class BadEncoding(Malformed):
    """A statement with bytes that are not UTF-8; `details` have their `offset` in the file."""

    code = "bad_encoding"


class MalformedFile(Malformed):
    """A statement that is cut, damaged or not a table, or an archive that is not safe to read."""

    code = "malformed_file"


class BadValue(Malformed):
    """A cell of a statement that is not the amount, date, time, zone or id that it should be."""

    code = "bad_value"


class AmbiguousDates(Malformed):
    """A statement whose dates can be read in two orders; `details` have both readings."""

    code = "ambiguous_dates"


class UnknownFormat(Malformed):
    """A file that is not a statement in any known format; `details` list the known formats."""

    code = "unknown_format"


class AmbiguousFormat(Malformed):
    """A statement that two formats fit; `details` name both."""

    code = "ambiguous_format"


class UnknownRow(Malformed):
    """A row of an unlisted type that concerns a payout; `details` have its type."""

    code = "unknown_row"


class UnprovedFile(Malformed):
    """A statement whose own sums or balances contradict each other; `details` name the proof."""

    code = "unproved_file"


# --- not found --------------------------------------------------------------------------------


class UnknownEntity(NotFound):
    """No request, session, claim, payout or other entity with that id."""

    code = "not_found"


class AmbiguousPrefix(NotFound):
    """A prefix with which more than one id begins."""

    code = "ambiguous_id"


class LedgerNotFound(NotFound):
    """No ledger at that path."""

    code = "ledger_not_found"


class PolicyNotFound(NotFound):
    """No shipped policy with that name, and no such file."""

    code = "policy_not_found"


class NotInVault(NotFound):
    """Evidence that was reported, but whose file was never attached."""

    code = "not_in_vault"


class KeyNotFound(NotFound):
    """The key to the encrypted values is neither in the keyring nor next to the ledger."""

    code = "key_not_found"


class WrongKey(KeyNotFound):
    """A key that is not the one for the encrypted values; `details` name both."""

    code = "wrong_key"


# --- refused by the rules ---------------------------------------------------------------------


class AlreadyExists(Refused):
    """The id is already in use."""

    code = "already_exists"


class WrongState(Refused):
    """A transition that the state machine does not have (rulebook 6)."""

    code = "wrong_state"


class ClaimNotOpen(WrongState):
    """A step that needs an open claim, on a claim that is not open."""

    code = "claim_not_open"


class ClaimOpen(Refused):
    """The session has an undecided claim already (rulebook 4)."""

    code = "claim_open"


class NothingToRefund(Refused):
    """The session billed nothing, or was refunded in full."""

    code = "nothing_to_refund"


class RefundTooLarge(Refused):
    """A refund of more than the unrefunded part of the bill."""

    code = "refund_too_large"


class PartialRefund(Refused):
    """A partial refund, where the policy allows full refunds only (`refund.partial`)."""

    code = "partial_refund"


class PayoutTooLarge(Refused):
    """A payout of more than what is owed (rulebook 8)."""

    code = "payout_too_large"


class FeeTooLarge(Refused):
    """A transfer fee of more than the payout."""

    code = "fee_too_large"


class AmountTooLarge(Refused):
    """More than 2^63-1 minor units, alone or in the books' turnover (rulebook 9)."""

    code = "amount_too_large"


class CurrencyMismatch(Refused):
    """An amount in another currency than the book's."""

    code = "currency_mismatch"


class ImpossibleTime(Refused):
    """Impossible times: going back, ending before the start, overlapping pauses."""

    code = "impossible_time"


class SlotNeeded(Refused):
    """A scheduled request needs one of its slots; an instant one has none."""

    code = "slot_needed"


class SlotsPast(Refused):
    """All slots that the customer proposed have already begun."""

    code = "slots_past"


class CorrectionRefused(Refused):
    """A session that cannot be corrected: a claim is undecided, or money was refunded."""

    code = "correction_refused"


class NotReversible(Refused):
    """An event that cannot be reversed, or that was already reversed."""

    code = "not_reversible"


class PeriodFixed(Refused):
    """Zone, month rule and currency are fixed once the book has a transaction."""

    code = "period_fixed"


class LedgerExists(Refused):
    """A file already exists at the path of a new ledger."""

    code = "ledger_exists"


class KeyFileExists(Refused):
    """A file already exists at the path of a copy of a key."""

    code = "key_file_exists"


class BackupExists(Refused):
    """A file already exists at the path of a new backup."""

    code = "backup_exists"


class NotForFeeds(Refused):
    """An event, or a field of one, that only the expert may record, not a feed.

    `details` name the field.
    """

    code = "not_for_feeds"

    def __init__(self, field: str, reason: str, *, hint: Hint | str) -> None:
        super().__init__(reason, hint=hint, field=field)


class Conflict(Refused):
    """The id, key or entity was recorded before with other content; `details` name the fields."""

    code = "conflict"

    def __init__(self, what: str, fields: list[str], *, hint: str | None = None) -> None:
        super().__init__(
            f"{what} was already recorded with a different value for {' and '.join(fields)}.",
            hint=hint or "Recorded facts never change. Use a new id or key for something new.",
            fields=fields,
        )
        self.fields = fields


class IncompleteProfile(Refused):
    """A payout profile whose method, tax form or address lacks required parts (R12, R14)."""

    code = "profile_incomplete"


class FileTooLarge(Refused):
    """A file larger than the limit for attachments (`attachment_limit`)."""

    code = "file_too_large"


class Caution(Refused):
    """Allowed, but likely a mistake: refuses a command unless overridden, flags a feed's event."""

    code = "caution"


def caution_codes(kind: type[Caution] = Caution) -> frozenset[str]:
    """Return the codes of all cautions, for an event that is recorded in spite of them."""
    below = (caution_codes(inner) | {inner.code} for inner in kind.__subclasses__())
    return frozenset[str]().union(*below)


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
    """A slot that overlaps a session that is already agreed."""

    code = "double_booking"


class OnVacation(Caution):
    """A slot during the expert's vacation."""

    code = "on_vacation"


class LateClaim(Caution):
    """A claim after the refund window (R8)."""

    code = "late_claim"


class InTheFuture(Caution):
    """An event that would have happened after the time at which it is recorded."""

    code = "in_the_future"


class SlotInPast(Caution):
    """A slot, or a session's new time, that was already in the past."""

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
    """A payout without an id that equals one of the last 60 days in amount and method."""

    code = "possible_duplicate"


class UnfittingTaxForm(Caution):
    """A tax form that is not the one for the country (R14)."""

    code = "unfitting_tax_form"


class ExpiredTaxForm(Caution):
    """A tax form that is no longer valid (R14)."""

    code = "expired_tax_form"


class UnlikelyTaxNumber(Caution):
    """A foreign tax number that does not have its country's format."""

    code = "unlikely_tax_number"


class UnreadablePreference(Caution):
    """Hours, rules or notifications in an unknown format: they count as not set."""

    code = "unreadable_preference"


# --- the ledger as a file ---------------------------------------------------------------------


class LedgerBusy(Busy):
    """Another process holds the ledger's lock."""

    code = "ledger_busy"


class BooksChanged(Busy):
    """The books changed between a question and its answer, and so did what would be recorded."""

    code = "books_changed"


class UnsafeSqlite(Busy):
    """A SQLite version that could corrupt a ledger in its journal mode."""

    code = "unsafe_sqlite"


class KeyringUnavailable(Busy):
    """The system's keyring does not respond, or is locked."""

    code = "keyring_unavailable"


class NotALedger(IntegrityFailed):
    """A file that is not a ledger, or is damaged."""

    code = "not_a_ledger"


class NotShared(Refused):
    """An open ledger was used in another process or thread, which is not allowed."""

    code = "not_shared"


class LedgerClosed(Refused):
    """A ledger was used after it was closed."""

    code = "ledger_closed"


class OpenedReadOnly(Refused):
    """Something was to be recorded in a ledger that is open for reading only."""

    code = "read_only"


class NewerLedger(Malformed):
    """A ledger that was written by a newer program."""

    code = "newer_ledger"


class LedgerUnwritable(Malformed):
    """The ledger, or its folder, is not writable."""

    code = "ledger_unwritable"


class LedgerLinked(Malformed):
    """The ledger has a second name (a hard link); `details` count its names and list the others."""

    code = "ledger_linked"


class UnsafeVault(Malformed):
    """The vault is a link, or is accessible to others."""

    code = "unsafe_vault"


class UnsafeKey(Malformed):
    """The key file is a link, or is readable by others."""

    code = "unsafe_key"


class DecryptionFailed(IntegrityFailed):
    """An encrypted value that its key does not decrypt: it was changed or moved."""

    code = "sealed_value_unreadable"


class DamagedFile(IntegrityFailed):
    """A file in the vault whose hash differs from the recorded one."""

    code = "damaged_file"


class DiskFull(Malformed):
    """The disk is full; the write was rolled back."""

    code = "disk_full"


class BackupUnwritable(OutputFailed):
    """The backup could not be written to its destination."""

    code = "backup_unwritable"


class BackupIncomplete(IntegrityFailed):
    """A backup was made, but files of the vault are damaged or lost; `details` name them."""

    code = "backup_incomplete"


class DamagedBackup(IntegrityFailed):
    """A backup that was changed after it was written, or whose description is inconsistent."""

    code = "damaged_backup"


class MigrationFailed(IntegrityFailed):
    """A ledger with an older schema could not be upgraded; it is unchanged."""

    code = "migration_failed"


class StatementChanged(IntegrityFailed):
    """A statement, or the ledger it is compared with, was changed."""

    code = "statement_changed"


class PackChanged(IntegrityFailed):
    """An evidence pack was changed after it was written; `details` name each file."""

    code = "pack_changed"


class VerificationFailed(IntegrityFailed):
    """`ledger verify` found a record that was changed after it was written."""

    code = "verification_failed"


class HeadNotFound(IntegrityFailed):
    """The journal never had the head that was noted or printed: its history was rewritten."""

    code = "head_not_found"


class UnreadableEvent(IntegrityFailed):
    """An invalid event in the journal: its content is not what the write path stores."""

    code = "unreadable_event"
