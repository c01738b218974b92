"""`liveportal customers`: who asked for help, how often, and what they paid."""

from __future__ import annotations

from typing import Annotated

from liveportal.cli.app import Commands
from liveportal.cli.completion import ids
from liveportal.cli.io.render import hint
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, one_id, with_options
from liveportal.cli.read_command import Limit, Query, reads, reference_time, run_read
from liveportal.ledger.queries import customer_overview
from liveportal.ledger.queries.customer_overview import CustomerOverview, CustomerRow
from liveportal.ledger.queries.reader import Reader

app = Commands(
    """List your customers, what they asked for and what they paid.

    To erase the personal data of a customer, use `ledger forget`.

    Examples:
      liveportal customers list
      liveportal customers show C-77
    """,
    default="list",
)

HUMAN = (*("id", "name", "requests", "sessions", "minutes", "paid", "claims", "last_seen"),)
EMPTY = "No customers yet. `liveportal requests list` shows who asks for help."


@app.command("list")
@shows(CustomerRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(ledger: LedgerOption, read: ReadOptions, out: OutputOptions, limit: Limit = None) -> None:
    """List your customers, the most recent first.

    The amount paid is the gross of their sessions, less refunds, plus tips. A customer whom you
    have forgotten is listed without a name.

    Examples:
      liveportal customers list
      liveportal customers list --csv -o customers.csv
    """

    def query(reader: Reader) -> Table:
        rows = customer_overview.customer_list(reader)[:limit]
        return Table(CustomerRow, rows, HUMAN, empty=EMPTY)

    if run_read(query, ledger, read, out).rows:
        hint("See one customer's requests and sessions with `liveportal customers show ID`.")


@app.command("show")
@reads(CustomerOverview)
def show(customer: Annotated[str, one_id("A customer", ids("customer"))]) -> Query:
    """Show one customer's requests, sessions and ratings.

    Example: liveportal customers show C-77
    """

    def query(reader: Reader) -> Detail:
        name = reader.resolve_id("customer", customer)
        row = customer_overview.customer(reader, name, reference_time(reader))
        return Detail(CustomerOverview, row)

    return query
