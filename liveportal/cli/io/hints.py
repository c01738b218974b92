"""How the command line spells the actions that hints name: its commands and options."""

from __future__ import annotations

from liveportal.domain.errors import Caution, DoubleBooking, LateClaim, caution_codes
from liveportal.domain.hint import Hint

_SET = "liveportal payout profile set"
_CORRECT = "liveportal sessions correct {session}"

SPELLINGS = {
    # Commands of their own, with which deadlines and likely mistakes are dealt with.
    "accept_it": "liveportal requests accept {request}",
    "accept_its_best_slot": "liveportal requests accept {request} --best",
    "accept_that_slot": "liveportal requests accept {request} --slot {slot}",
    "attach_the_file": "liveportal sessions attach {session} FILE --kind {kind}",
    "bill_nothing": f"{_CORRECT} --billed 0 --reason TEXT",
    "check_the_payout_profile": "liveportal payout profile check",
    "correct_its_end": f"{_CORRECT} --end TIME --reason TEXT",
    "correct_its_pauses": f"{_CORRECT} --pause FROM-TO --reason TEXT",
    "correct_its_times": f"{_CORRECT} --start TIME --end TIME --reason TEXT",
    "dispute_it": "liveportal dispute file {claim} --edit",
    "end_it": "liveportal sessions end {session} --at TIME",
    "end_it_then": "liveportal sessions end {session} --at {end}",
    "forget_the_customer": "liveportal ledger forget {customer}",
    "look_at_it": "liveportal sessions show {session}",
    "pause_the_other": "liveportal sessions pause {session}",
    "preview_the_payout": "liveportal payout preview",
    "record_that_the_customer_missed_it": "liveportal sessions miss {session} --by customer",
    "reschedule_it": "liveportal sessions reschedule {session} --start TIME",
    "start_it": "liveportal sessions start {session}",
    # Commands in a sentence.
    "a_backup": "`liveportal ledger backup`",
    "a_correction": "`liveportal sessions correct`",
    "a_rate": "--rate AMOUNT",
    "a_higher_limit": "`liveportal preferences set --attachment-limit`",
    "a_sync_with_a_file_for_it": "`sync --rejects FILE`",
    "an_evidence_pack": "`liveportal dispute evidence`",
    "an_export": "`liveportal ledger export events`",
    "an_import": "`liveportal ledger import`",
    "another_method": f"`{_SET} --method ...`",
    "attaching_it": "`liveportal sessions attach`",
    "cancelling_the_session": "`liveportal sessions cancel {session}`",
    "creating_a_ledger": "`liveportal init`",
    "payouts_and_sessions": "`payout show` and `sessions show`",
    "restoring_a_backup": "`liveportal ledger restore FILE`",
    "rescheduling_it": "`liveportal sessions reschedule {session}`",
    "reconcile_a_statement": "liveportal payout reconcile FILE",
    "rotating_the_key": "`rotate-key --keep-old-key FILE`",
    "sessions_and_payouts": "`liveportal sessions show` and `payout show`",
    "setting_the_profile": f"`{_SET}`",
    "the_balance": "`liveportal earnings`",
    "the_list_of_claims": "`liveportal refunds list`",
    "the_list_of_customers": "`liveportal customers list`",
    "the_list_of_payouts": "`liveportal payout list`",
    "the_list_of_requests": "`liveportal requests list --all`",
    "the_list_of_sessions": "`liveportal sessions list`",
    "the_ledger_path": "`liveportal ledger path`",
    "the_path_of_the_feed": "the path; - reads standard input",
    "the_payout": "`liveportal payout show {payout}`",
    "the_policy": "`liveportal policy show`",
    "the_request": "`liveportal requests show {request}`",
    "the_session": "`liveportal sessions show {session}`",
    "correcting_it": "`liveportal sessions correct {session}`",
    "ending_it": "`liveportal sessions end {session}`",
    "its_arrival": "`liveportal payout paid {payout}`",
    "its_return": "`liveportal payout return {payout}`",
    "logging_it": "`liveportal sessions log`",
    "resuming_it": "`liveportal sessions resume {session}`",
    "a_ruling": "`liveportal dispute rule {claim}`",
    "the_claim": "`liveportal refunds show {claim}`",
    "withdrawing_the_dispute": "`liveportal dispute withdraw {claim}`",
    "verification": "`liveportal ledger verify`",
    # Sentences that end in a command.
    "a_direct_rate": "your direct rate with `liveportal preferences set --direct-rate AMOUNT`",
    "any_other_command": "any other command, such as `ledger info`",
    "enter_it_again": f"enter the profile again: `{_SET} --start-over`",
    "enter_the_profile_again": f"enter the profile again with `{_SET} --start-over`",
    "give_its_date": f"`{_SET} --tax-signed DATE`",
    "make_a_ledger": "create a ledger first with `liveportal init`",
    # Options.
    "a_file_for_it": "--rejects FILE",
    "a_later_time": "a later --at",
    "a_mapping_to_fill_in": "--mapping-help",
    "a_pair": "--pair PAYOUT=ROW",
    "a_payer": "--payer NAME",
    "a_path": "--ledger or LIVEPORTAL_LEDGER",
    "a_reversal": "`liveportal ledger reverse`",
    "a_slot": "--slot {slots}",
    "a_source": "--source",
    "all_rows": "--all",
    "an_id": "--id",
    "an_identity": "--identity FILE",
    "another_country": "another --country",
    "another_path": "another path with --ledger",
    "another_place": "another place with --ledger",
    "its_time": "--at",
    "number_1": "--open 1",
    "short_is_fee": "--short-is-fee",
    "the_address": "--country and --line, --city, --postal-code",
    "the_best_one": "--best",
    "the_city": "--city",
    "the_country": "--country",
    "the_email": "--email",
    "the_kept_words": "--keep",
    "the_method": "--method",
    "the_name": "--name",
    "a_passphrase_file": "--passphrase-file FILE",
    "the_street": "--line",
    "the_tax_form": "--tax-form",
    "your_time_zone": "--timezone ZONE",
    "reading_it_unproved": "--unproved",
    "the_format": "--format",
    "day_first": "--dates dmy",
    "month_first": "--dates mdy",
    "the_whole_journal": "the whole journal, without --from",
}
"""The spelling of each action; in braces are details of the hint."""

_OVERRIDES = {DoubleBooking.code: "--overlap", LateClaim.code: "--late"}


def override_of(caution: Caution) -> str:
    """Return the option that overrides a caution."""
    return _OVERRIDES.get(caution.code, "--anyway")


def overridden_by(option: str) -> frozenset[str]:
    """Return the codes of the cautions that an option overrides."""
    own = frozenset(code for code, spelling in _OVERRIDES.items() if spelling == option)
    return own if option != "--anyway" else caution_codes() - _OVERRIDES.keys()


def spell(hint: Hint | str | None, caution: Caution | None = None) -> str | None:
    """Return a hint with its actions as the command line spells them.

    "Overriding this" is the option that overrides the hint's `caution`.
    """
    if not isinstance(hint, Hint):
        return hint

    def spelling(action: str) -> str:
        if caution and action.lower() == "overriding_this":
            return override_of(caution)
        return SPELLINGS[action.lower()].format(**hint.details)

    return hint.spell(spelling)
