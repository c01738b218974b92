"""The option `--hop`, which says what a payout of the platform is in files of Stripe."""

from __future__ import annotations

import typer

from liveportal.domain.hops import HOPS


def check_hop(hop: str | None, *, is_needed: bool = False) -> None:
    """Raise a usage error for a hop that does not exist, or for one that is needed and absent."""
    if hop is not None and hop not in HOPS:
        raise typer.BadParameter(f"must be {' or '.join(HOPS)}.", param_hint="--hop")
    if hop is None and is_needed:
        raise typer.BadParameter(
            "Stripe needs it. Give --hop payout if the platform pays to your bank, or"
            " --hop transfer if it pays into your Stripe balance.",
            param_hint="--hop",
        )
