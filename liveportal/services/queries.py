"""The groups of queries: each method answers with typed rows, from one state of the ledger.

Amounts are `Money`, times are aware datetimes. An id is given in full; `Portal.resolve_id` finds it
by a prefix. An unknown one raises `UnknownEntity`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import TypeVar

from liveportal.domain.calculations.claim_answers import DisputeRecord
from liveportal.domain.calculations.months import MonthRow
from liveportal.domain.clock import local_date
from liveportal.domain.entities import ClaimState, PayoutState, RequestState, SessionState
from liveportal.domain.errors import InvalidArgument
from liveportal.domain.money import Money
from liveportal.domain.policy import Policy
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.queries import (
    agenda,
    billing_audit,
    breakdown,
    claims,
    customer_overview,
    due,
    earnings,
    front_page,
    ledger_info,
    payouts,
    policy_inference,
    provenance,
    request_filter,
    requests,
    reviews,
    session_filter,
    session_search,
    sessions,
    transcripts,
)
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.request_filter import RequestFilter
from liveportal.ledger.queries.session_filter import SessionFilter
from liveportal.services import arguments
from liveportal.services.defaults import ignore
from liveportal.services.reconciled import ReconciledRow

T = TypeVar("T")
Query = Callable[[Reader, datetime], T]
"""A query of a reader, at the instant from which ages and deadlines count."""


class Group:
    """A group of queries of a ledger."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file

    def _ask(self, query: Query[T]) -> T:
        """Answer a query. Ages count from now, or from the instant as of which the ledger is."""
        now, as_of = self._file.now(), self._file.as_of
        with self._file.reading() as reader:
            return query(reader, min(as_of, now) if as_of else now)

    def _ask_of(self, kind: str, name: str, query: Callable[[Reader, str, datetime], T]) -> T:
        """Answer a query about one entity; raises `UnknownEntity`."""
        return self._ask(
            lambda reader, now: query(reader, reader.resolve_id(kind, name, whole=True), now)
        )


class Requests(Group):
    """`portal.requests`: what customers ask for."""

    def list(self, wanted: RequestFilter | None = None) -> Sequence[requests.RequestRow]:
        """Return the requests that match a filter, in its order; by default oldest first."""
        chosen = RequestFilter() if wanted is None else wanted
        _check_filter(chosen, RequestFilter, RequestState, request_filter.SORTS)
        return self._ask(lambda reader, now: requests.requests(reader, now, chosen))

    def get(self, request: str) -> requests.RequestDetail:
        """Return one request with all its details, its slots with their ranks, and its history."""
        return self._ask_of("request", request, requests.request)

    def slots(self, request: str) -> Sequence[requests.RankedSlotRow]:
        """Return the slots of a request, best first; empty if the request is no longer open."""
        return self._ask_of("request", request, requests.ranked_slots)


class Sessions(Group):
    """`portal.sessions`: what was agreed and done, with its evidence."""

    def list(self, wanted: SessionFilter | None = None) -> Sequence[sessions.SessionRow]:
        """Return the sessions that match a filter, in its order; by default by start."""
        chosen = SessionFilter() if wanted is None else wanted
        _check_filter(chosen, SessionFilter, SessionState, session_filter.SORTS)
        return self._ask(lambda reader, _: sessions.sessions(reader, chosen))

    def get(self, session: str) -> sessions.SessionDetail:
        """Return one session with its claims, reviews, evidence, transactions and history."""
        return self._ask_of(
            "session", session, lambda reader, name, _: sessions.session(reader, name)
        )

    def messages(self, session: str) -> Sequence[transcripts.MessageRow]:
        """Return the messages of a session, transcript by transcript."""
        return self._ask_of(
            "session", session, lambda reader, name, _: transcripts.messages(reader, name)
        )

    def search(
        self, *words: str, speaker: str | None = None, limit: int | None = None
    ) -> Sequence[session_search.SearchRow]:
        """Return the text and messages that have all the words, the best first."""
        finder = session_search.matching([*arguments.words("words", words)])
        if finder is None:
            raise InvalidArgument("words", "must name a word to look for")
        if speaker is not None:
            arguments.of_type("speaker", speaker, str, "the name of a speaker")
        where = session_search.Where(speaker=speaker)
        if limit is not None:
            arguments.of_type("limit", limit, int, "a number of hits")
        return self._ask(lambda reader, _: session_search.search(reader, finder, where, limit))

    def audit(self, first: str, last: str) -> Sequence[billing_audit.AuditRow]:
        """Return the sessions from a month to another whose bill differs from the policy's."""
        span = _span(first, last)
        return self._ask(lambda reader, _: billing_audit.audit(reader, *span, everything=False))

    def explain(self, session: str) -> provenance.ExplainedSession:
        """Return how a session's time became its money, and where that money is, as trees."""

        def query(reader: Reader, name: str, _: datetime) -> provenance.ExplainedSession:
            net, where = (
                provenance.nested(reader, tree) for tree in provenance.session(reader, name)
            )
            return provenance.ExplainedSession(session=name, net=net, where=where)

        return self._ask_of("session", session, query)


class Claims(Group):
    """`portal.claims`: what customers want back, and the disputes."""

    def list(
        self, *, states: Collection[str] = (), disputed_only: bool = False
    ) -> Sequence[claims.ClaimRow]:
        """Return the claims of the given states, or all, ordered by when they were made."""
        chosen = _states(states, ClaimState)
        return self._ask(
            lambda reader, now: claims.claims(
                reader, now, states=chosen, disputed_only=disputed_only
            )
        )

    def get(self, claim: str) -> claims.ClaimDetail:
        """Return one claim with its dispute, the expert's next step, and its history."""
        return self._ask_of("claim", claim, claims.claim)

    def record(self) -> DisputeRecord:
        """Return how many disputes the expert has filed, and their outcomes so far."""
        return self._ask(lambda reader, _: claims.dispute_history(reader))


class Payouts(Group):
    """`portal.payouts`: what was paid out, and what will be. The default day is today."""

    def list(self, *, states: Collection[str] = ()) -> Sequence[payouts.PayoutRow]:
        """Return the payouts of the given states, or all, ordered by when they were sent."""
        chosen = _states(states, PayoutState)
        return self._ask(lambda reader, _: payouts.payouts(reader, chosen))

    def get(self, payout: str) -> payouts.PayoutDetail:
        """Return one payout with its lines and its history."""
        return self._ask_of("payout", payout, lambda reader, name, _: payouts.payout(reader, name))

    def preview(self, on: date | None = None) -> payouts.PayoutPreview:
        """Return the payout that would be made on a day, and what blocks it (rulebook 8)."""
        return self._ask_on(on, payouts.preview_on)

    def forecast(self, on: date | None = None) -> Sequence[payouts.ForecastRow]:
        """Return the payouts expected from a day on, each with its amount and the total."""
        return self._ask_on(on, payouts.forecast_on)

    def overdue(self, on: date | None = None) -> payouts.OverdueRow | None:
        """Return the payout that is overdue on a day, with a letter to request it, or None."""
        return self._ask_on(on, payouts.overdue_on)

    def explain(self, payout: str) -> provenance.ExplainedPayout:
        """Return what a payout paid, as a tree."""

        def query(reader: Reader, name: str, _: datetime) -> provenance.ExplainedPayout:
            lines = provenance.nested(reader, provenance.payout(reader, name))
            return provenance.ExplainedPayout(payout=name, lines=lines)

        return self._ask_of("payout", payout, query)

    def reconcile(  # noqa: PLR0913 (keyword-only options)
        self,
        *files: arguments.StrPath,
        payers: Collection[str] = (),
        pairs: Mapping[str, str] | None = None,
        windows: Mapping[str, int] | None = None,
        kinds: Mapping[str, str] | None = None,
        short_is_fee: bool = False,
        dates: str | None = None,
        format: str | None = None,  # noqa: A002 (the option's own name)
        hop: str | None = None,
        mapping: str | None = None,
        mappings: Mapping[str, object] | None = None,
        timezone: str | None = None,
        unproved: bool = False,
        record_unknown: bool = False,
        everything: bool = False,
        apply: bool = False,
        before: Callable[[ReconciledRow], object] = ignore,
        progress: Callable[[int, int], None] = ignore,
    ) -> ReconciledRow:
        """Compare the payouts with files of a provider, and with `apply` record what is certain.

        A payout is recognised by its reference, else by payer, amount and date, and only if nothing
        else fits. `payers` are the names or addresses with which the platform pays; `pairs` names
        rows (their ids, or `FILE:LINE`) by payout; `windows` are the days that a payout may take,
        by provider; `kinds` are meanings of a provider's own words; `dates` is the order of dates
        that can be read in two (`dmy`, `mdy` or `ymd`). With `short_is_fee`, what is missing of an
        amount was a fee. `hop` says what the platform's payout is in files of Stripe: `transfer`,
        the payment into the Stripe balance, or `payout`, the one to the bank. `mapping` names the
        mapping for other CSV files, or its path; `mappings` has further ones by name, as tables or
        paths, for the files that they recognise. `timezone` is that of files without one. With
        `record_unknown`, money of the payers that no payout explains becomes a payout.

        Nothing is recorded without `apply`; with it, everything is recorded in one transaction.
        `before` is called with the result before that, and what it raises leaves the books as they
        were. `everything` adds the other rows to the findings. `progress` receives the bytes that
        were read and those of all files. Raises the errors of a statement, which name file and
        line.
        """
        from liveportal.services import reconcile  # No other query reads files.
        from liveportal.statements.options import Options

        how = Options(
            dates=dates,
            format=format,
            timezone=timezone,
            unproved=unproved,
            hop=hop,
            kinds=kinds or {},
            payers=arguments.words("payers", payers),
        )
        reading = reconcile.reading(how, mapping, mappings or {})
        named = [*payers, *reconcile.payers_of(reading)]
        rules = reconcile.rules(
            named, pairs or {}, windows or {}, short_is_fee=short_is_fee, unproved=unproved
        )
        statements = reconcile.read_files(files, reading, progress)
        with self._file.reading() as reader:
            compared = reconcile.compare(reader, statements, rules, record_unknown=record_unknown)
        if apply:
            self._file.check_writable()
            before(compared.row(everything=everything))
            compared = reconcile.record(self._file, compared, rules, timezone)
        return compared.row(everything=everything)

    def _ask_on(self, on: date | None, query: Callable[[Reader, date], T]) -> T:
        asked = None if on is None else arguments.day("on", on)
        return self._ask(
            lambda reader, now: query(reader, asked or local_date(now, reader.timezone))
        )


class Earnings(Group):
    """`portal.earnings`: the months in money. A month is `YYYY-MM`."""

    def month(self, month: str) -> MonthRow:
        """Return the figures of a month, with the balance at its end."""
        name = arguments.month("month", month)
        return self._ask(lambda reader, _: earnings.month(reader, name))

    def months(self, first: str = earnings.FIRST, last: str = earnings.LAST) -> Sequence[MonthRow]:
        """Return the months of the books from one to another; by default all."""
        span = _span(first, last)
        return self._ask(lambda reader, _: earnings.months(reader, *span))

    def summary(self, first: str, last: str | None = None) -> earnings.SummaryRow:
        """Return a month, or the months to another, as one row with the money at risk."""
        since, until = _span(first, first if last is None else last)
        name = since if since == until else f"{since}/{until}"
        return self._ask(lambda reader, now: earnings.summary(reader, name, since, until, now))

    def transactions(
        self, first: str = earnings.FIRST, last: str = earnings.LAST
    ) -> Sequence[earnings.TransactionRow]:
        """Return the Transaction Record of the months from one to another, oldest first."""
        span = _span(first, last)
        return self._ask(lambda reader, _: earnings.transactions(reader, *span))

    def by(
        self, way: str, first: str = earnings.FIRST, last: str = earnings.LAST
    ) -> Sequence[breakdown.GroupRow]:
        """Return the figures by customer, skill, kind or weekday, the largest net first."""
        arguments.one_of("way", way, earnings.WAYS)
        span = _span(first, last)
        return self._ask(lambda reader, _: breakdown.rows(reader, way, *span, reader.own_timezone))

    def explain(self, month: str) -> provenance.ExplainedMonth:
        """Return where the net and the balance of a month come from, as trees."""
        name = arguments.month("month", month)

        def query(reader: Reader, _: datetime) -> provenance.ExplainedMonth:
            net, owed = (provenance.nested(reader, tree) for tree in provenance.month(reader, name))
            return provenance.ExplainedMonth(month=name, net=net, owed=owed)

        return self._ask(query)


class Customers(Group):
    """`portal.customers`: who asked for help, what they paid, and the reviews."""

    def list(self) -> Sequence[customer_overview.CustomerRow]:
        """Return all customers, the latest first; an erased one has no name."""
        return self._ask(lambda reader, _: customer_overview.customer_list(reader))

    def get(self, customer: str) -> customer_overview.CustomerOverview:
        """Return a customer with the requests and sessions that they had, oldest first."""
        return self._ask_of("customer", customer, customer_overview.customer)

    def reviewed(self) -> Sequence[reviews.ReviewedCustomer]:
        """Return the customers of ended sessions with their average ratings, latest first."""
        return self._ask(lambda reader, _: reviews.reviewed_customers(reader))

    def reviews(self, customer: str) -> Sequence[reviews.ReviewRow]:
        """Return the reviews of a customer's sessions, in both directions, oldest first."""
        return self._ask_of(
            "customer", customer, lambda reader, name, _: reviews.reviews(reader, name)
        )


class Agenda(Group):
    """`portal.agenda`: what comes next."""

    def overview(self) -> front_page.FrontPage:
        """Return what waits for the expert: the front page of the command line."""
        return self._ask(front_page.front_page)

    def upcoming(self, until: datetime | None = None) -> Sequence[agenda.AgendaRow]:
        """Return the upcoming and running sessions: overdue first, then live, then by start."""
        end = None if until is None else arguments.aware("until", until)
        return self._ask(lambda reader, now: agenda.agenda(reader, now, until=end))

    def due(self) -> Sequence[due.DueRow]:
        """Return the deadlines ahead, and those past that still need an action; earliest first."""
        return self._ask(due.due)


class Ledger(Group):
    """`portal.ledger`: the ledger itself, and what is set in it."""

    def info(self) -> ledger_info.LedgerInfo:
        """Return what the ledger holds, and how its file keeps it."""
        return self._ask(lambda reader, _: ledger_info.info(reader))

    def policy(self) -> Policy:
        """Return the policy in force."""
        return self._ask(lambda reader, _: reader.policy)

    def infer_policy(self) -> policy_inference.PolicyInference:
        """Return the readings of the rules that explain the payouts that arrived, best first."""
        return policy_inference.infer(self._ask(lambda reader, _: policy_inference.facts(reader)))

    def preferences(self) -> ledger_info.PreferencesRow:
        """Return the preferences in force."""
        return self._ask(lambda reader, _: ledger_info.preferences(reader))


def _span(first: str, last: str) -> tuple[str, str]:
    return arguments.month("first", first), arguments.month("last", last)


def _states(given: Collection[str], known: type[ClaimState | PayoutState]) -> Sequence[str]:
    return [arguments.one_of("states", state, known) for state in arguments.words("states", given)]


def _check_filter(
    wanted: RequestFilter | SessionFilter,
    kind: type[RequestFilter | SessionFilter],
    states: type[RequestState | SessionState],
    sorts: Collection[str],
) -> None:
    """Raise `InvalidArgument` or `InvalidMonth` for a value that its field does not take."""
    arguments.of_type("wanted", wanted, kind, f"a {kind.__name__}")
    order = arguments.of_type("sort", wanted.sort, str, "the name of an order")
    arguments.one_of("sort", order.removeprefix("-"), sorts)
    for state in arguments.words("states", wanted.states):
        arguments.one_of("states", state, states)
    for field in fields(kind):
        value = getattr(wanted, field.name)
        if value is not None:
            _check_field(field.name, str(field.type), value)


def _check_field(name: str, declared: str, value: object) -> None:
    match declared.removesuffix(" | None"):
        case "Sequence[str]":
            arguments.words(name, value)
        case "datetime":
            arguments.aware(name, value)
        case "str" if name.endswith("_month"):
            arguments.month(name, value)
        case "str":
            arguments.of_type(name, value, str, "a string")
        case "bool":
            arguments.of_type(name, value, bool, "True or False")
        case "int":
            arguments.of_type(name, value, int, "a whole number")
        case "Money":
            arguments.of_type(name, value, Money, "Money")
