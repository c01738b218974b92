"""The rows that the queries of a `Portal` return, for annotations: `from liveportal import rows`.

Each is frozen; its fields are attributes, and in this order the JSON contract (`as_dict`).
"""

from __future__ import annotations

from liveportal.domain.calculations.claim_answers import DisputeRecord
from liveportal.domain.calculations.months import Balance, MonthRow
from liveportal.domain.row import Row
from liveportal.ledger.queries.agenda import AgendaRow
from liveportal.ledger.queries.billing_audit import AuditRow
from liveportal.ledger.queries.breakdown import GroupRow
from liveportal.ledger.queries.calendar_conflicts import CalendarConflict
from liveportal.ledger.queries.claims import ClaimDetail, ClaimRow, EarlierClaim
from liveportal.ledger.queries.customer_overview import (
    CustomerOverview,
    CustomerRow,
    RequestMade,
    SessionHeld,
)
from liveportal.ledger.queries.customers import CustomerDetail, CustomerName
from liveportal.ledger.queries.due import DueRow
from liveportal.ledger.queries.earnings import Risk, SummaryRow, TransactionRow
from liveportal.ledger.queries.front_page import FrontPage, NextPayout, OpenClaim, RunningSession
from liveportal.ledger.queries.history import HistoryRow
from liveportal.ledger.queries.ledger_info import LedgerInfo, PreferencesRow
from liveportal.ledger.queries.payouts import (
    Blocker,
    EvidenceRow,
    ForecastRow,
    LatePayout,
    OpenMonth,
    OverdueRow,
    PayoutDetail,
    PayoutLine,
    PayoutPreview,
    PayoutRow,
)
from liveportal.ledger.queries.policy_inference import (
    PolicyInference,
    ReadingRow,
    UnexplainedPayout,
)
from liveportal.ledger.queries.provenance import (
    ExplainedMonth,
    ExplainedPayout,
    ExplainedSession,
    NodeRow,
    StepRow,
)
from liveportal.ledger.queries.requests import (
    RankedSlotRow,
    RequestDetail,
    RequestRow,
    SlotReason,
    SlotRow,
)
from liveportal.ledger.queries.reviews import ReviewedCustomer, ReviewRow
from liveportal.ledger.queries.session_search import SearchRow
from liveportal.ledger.queries.sessions import (
    SessionClaim,
    SessionDetail,
    SessionReview,
    SessionRow,
    SessionTransaction,
)
from liveportal.ledger.queries.transcripts import ArtifactRow, MessageRow
from liveportal.services.reconciled import FindingRow, ProofRow, ReconciledRow, StatementFileRow

__all__ = [
    "AgendaRow",
    "ArtifactRow",
    "AuditRow",
    "Balance",
    "Blocker",
    "CalendarConflict",
    "ClaimDetail",
    "ClaimRow",
    "CustomerDetail",
    "CustomerName",
    "CustomerOverview",
    "CustomerRow",
    "DisputeRecord",
    "DueRow",
    "EarlierClaim",
    "EvidenceRow",
    "ExplainedMonth",
    "ExplainedPayout",
    "ExplainedSession",
    "FindingRow",
    "ForecastRow",
    "FrontPage",
    "GroupRow",
    "HistoryRow",
    "LatePayout",
    "LedgerInfo",
    "MessageRow",
    "MonthRow",
    "NextPayout",
    "NodeRow",
    "OpenClaim",
    "OpenMonth",
    "OverdueRow",
    "PayoutDetail",
    "PayoutLine",
    "PayoutPreview",
    "PayoutRow",
    "PolicyInference",
    "PreferencesRow",
    "ProofRow",
    "RankedSlotRow",
    "ReadingRow",
    "ReconciledRow",
    "RequestDetail",
    "RequestMade",
    "RequestRow",
    "ReviewRow",
    "ReviewedCustomer",
    "Risk",
    "Row",
    "RunningSession",
    "SearchRow",
    "SessionClaim",
    "SessionDetail",
    "SessionHeld",
    "SessionReview",
    "SessionRow",
    "SessionTransaction",
    "SlotReason",
    "SlotRow",
    "StatementFileRow",
    "StepRow",
    "SummaryRow",
    "TransactionRow",
    "UnexplainedPayout",
]
