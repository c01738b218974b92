"""`View`: the groups of queries that a `Portal` answers, now or as of an instant."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from liveportal.ledger.ledger_file import LedgerFile

if TYPE_CHECKING:
    from liveportal.services import queries


class View:
    """An open ledger for queries. Each query sees one state of the ledger, the latest.

    What `Portal.as_known` returns is a copy, which never changes. `close` frees it, and so does
    the end of a `with` block.
    """

    def __init__(self, file: LedgerFile) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the ledger; a second time does nothing."""
        self._file.close()

    # The queries are imported when the first one is asked: commands that record need none of them.

    @cached_property
    def requests(self) -> queries.Requests:
        """What customers ask for."""
        from liveportal.services.queries import Requests

        return Requests(self._file)

    @cached_property
    def sessions(self) -> queries.Sessions:
        """What was agreed and done, with its evidence."""
        from liveportal.services.queries import Sessions

        return Sessions(self._file)

    @cached_property
    def claims(self) -> queries.Claims:
        """What customers want back, and the disputes."""
        from liveportal.services.queries import Claims

        return Claims(self._file)

    @cached_property
    def payouts(self) -> queries.Payouts:
        """What was paid out, and what will be."""
        from liveportal.services.queries import Payouts

        return Payouts(self._file)

    @cached_property
    def earnings(self) -> queries.Earnings:
        """The months in money."""
        from liveportal.services.queries import Earnings

        return Earnings(self._file)

    @cached_property
    def customers(self) -> queries.Customers:
        """The customers of ended sessions, and the reviews."""
        from liveportal.services.queries import Customers

        return Customers(self._file)

    @cached_property
    def agenda(self) -> queries.Agenda:
        """What comes next."""
        from liveportal.services.queries import Agenda

        return Agenda(self._file)

    @cached_property
    def ledger(self) -> queries.Ledger:
        """The ledger itself, and what is set in it."""
        from liveportal.services.queries import Ledger

        return Ledger(self._file)
