"""What the flags of a recorded event mean, in a sentence each."""

from __future__ import annotations

FLAGS = {
    # Cautions that were overridden.
    "below_minimum_rate": "The rate is below your minimum.",
    "double_booking": "It overlaps another session.",
    "expired_tax_form": "The tax form is no longer valid.",
    "in_the_future": "Its time is in the future.",
    "large_tip": "The tip is unusually large for this session.",
    "late_claim": "The claim came after the refund window had closed.",
    "long_session": "The session is longer than twelve hours.",
    "missed_early": "Its planned start is in the future.",
    "on_vacation": "It is during your vacation.",
    "possible_duplicate": "It may be a duplicate of a payout of the last 60 days.",
    "rate_out_of_bounds": "The rate is outside the bounds of the policy.",
    "request_expired": "The request had expired.",
    "slot_in_past": "Its time was already in the past.",
    "started_early": "It started more than an hour before its planned start.",
    "unfitting_tax_form": "The tax form is not the usual one for this country.",
    "unlikely_tax_number": "The tax number does not have the format of this country.",
    "unlisted_method": "The policy does not list this payout method.",
    "unreadable_preference": "A part cannot be read, so it does not apply.",
    # What the rules notice.
    "another_session_live": "Another session is live at the same time.",
    "below_minimum": "The payout is below the minimum of the policy.",
    "billed_differs": "The bill differs from the one that was recorded before.",
    "claimable": "It pays for sessions for which customers can still claim a refund.",
    "early": "It pays earnings before their due date.",
    "first_payout_wait": "It came before the first payout was due.",
    "lost_race": "Another expert was faster, so the session was cancelled.",
    "matched_by_amount": "Your statement showed it first; the amount and the date are the same.",
    "profile_incomplete": "Your payout profile is incomplete.",
    "superseded": "A later event had already settled this, so nothing changed.",
    # Attached transcripts.
    "encoding_guessed": "It is not UTF-8. If its words look wrong, convert it and attach it again.",
    "text_outside_cues": "Some text belongs to no cue, so it is kept without a time.",
    "transcript_cut": "It is very long, so search covers only its first part.",
    "unreadable_transcript": "It cannot be read as a transcript, so its words are not searched.",
}


def flag_text(flag: str) -> str:
    """Return the sentence for a flag; an unknown one is named."""
    return FLAGS.get(flag, f"Flagged: {flag}.")
