"""The expert's side of a paid live-help platform, at the terminal and in Python.

docs/PYTHON.md shows the interface. Each name is imported when it is first used (PEP 562), so that
`import liveportal` and `liveportal --version` stay quick.
"""

TYPE_CHECKING = False  # Without `typing`, which takes milliseconds to import.
if TYPE_CHECKING:
    from liveportal import rows
    from liveportal.domain import errors
    from liveportal.domain.errors import Caution, LiveportalError
    from liveportal.domain.events import types as events
    from liveportal.domain.events.envelope import Event
    from liveportal.domain.money import Money
    from liveportal.domain.policy import Policy
    from liveportal.ledger.journal.journal import Outcome
    from liveportal.ledger.queries.request_filter import RequestFilter
    from liveportal.ledger.queries.session_filter import SessionFilter
    from liveportal.portal import Portal
    from liveportal.services.adapting import FeedFormat
    from liveportal.services.sync import SyncResult
    from liveportal.services.view import View

__version__ = "0.1.0"

__all__ = [
    "Caution",
    "Event",
    "FeedFormat",
    "LiveportalError",
    "Money",
    "Outcome",
    "Policy",
    "Portal",
    "RequestFilter",
    "SessionFilter",
    "SyncResult",
    "View",
    "errors",
    "events",
    "rows",
]

_PLACES = {
    "Caution": "domain.errors",
    "Event": "domain.events.envelope",
    "FeedFormat": "services.adapting",
    "LiveportalError": "domain.errors",
    "Money": "domain.money",
    "Outcome": "ledger.journal.journal",
    "Policy": "domain.policy",
    "Portal": "portal",
    "RequestFilter": "ledger.queries.request_filter",
    "SessionFilter": "ledger.queries.session_filter",
    "SyncResult": "services.sync",
    "View": "services.view",
}
"""The module of each class; the other names are modules themselves."""
_MODULES = {"errors": "domain.errors", "events": "domain.events.types", "rows": "rows"}


def _load(name: str) -> object:
    """Import a public name when it is first used."""
    from importlib import import_module

    if name in _MODULES:
        value: object = import_module(f"liveportal.{_MODULES[name]}")
    elif name in _PLACES:
        value = getattr(import_module(f"liveportal.{_PLACES[name]}"), name)
    else:
        raise AttributeError(f"module 'liveportal' has no attribute {name!r}")
    globals()[name] = value
    return value


if not TYPE_CHECKING:  # A type checker would take every name for one that it finds.
    __getattr__ = _load


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
