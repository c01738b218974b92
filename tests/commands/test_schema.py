"""`liveportal schema`: the JSON Schema of outputs and events, made from their declarations."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from typer.main import get_command

from liveportal.cli.app import Group, app
from liveportal.cli.commands.schema import declared
from liveportal.cli.io.field_meanings import MEANINGS, field_lines
from liveportal.cli.json_schema import schema_of
from liveportal.cli.main import main
from liveportal.domain.errors import LiveportalError
from liveportal.domain.events.sources import Origin, check_content
from liveportal.domain.events.types import TYPES
from liveportal.feeds.json_schema import event_schema, feed_schema
from liveportal.feeds.jsonl import parse
from tests.kit.schemas import FORMATS, check_output
from tests.kit.shell import OCTOBER, Shell
from tests.kit.states import FEED

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_ROWS = {"demo", "portal", "preferences export", "schema"}
"""Commands that write a document or a story, not rows."""

BASE = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "https://help.example",
    "time": "2026-10-05T09:00:00Z",
}


def _commands(group: Group, words: tuple[str, ...] = ()) -> Iterator[str]:
    for name in group.commands:
        command = group.load_command(name)
        if isinstance(command, Group):
            yield from _commands(command, (*words, name))
        else:
            yield " ".join((*words, name))


def _schema(shell: Shell, *words: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(shell.output_of("schema", *words))
    Draft202012Validator.check_schema(schema)
    return schema


@pytest.mark.slow
def test_every_command_declares_what_it_shows() -> None:
    """A schema exists of every command that shows rows, and it is a valid one."""
    root = get_command(app)
    assert isinstance(root, Group)
    shown = {name: declared(name.split()) for name in _commands(root)}
    assert {name for name, rows in shown.items() if rows is None} == NO_ROWS
    for name, rows in shown.items():
        if rows is not None:
            Draft202012Validator.check_schema(schema_of(name, rows))


def test_every_field_is_explained() -> None:
    """In one line, in its schema and in the help of its command; no explanation is unused."""
    root = get_command(app)
    assert isinstance(root, Group)
    shown = {name: declared(name.split()) for name in _commands(root)}
    unused = set(MEANINGS.values())
    for name, rows in shown.items():
        if rows is None:
            continue
        for field, text in _properties(schema_of(name, rows)):
            assert text, f"{name}: {field}"
            unused.discard(text)
        for field, text in field_lines(rows):
            assert text.endswith("."), f"{name}: {field}"
            unused.discard(text)
    assert unused == set()


def _properties(schema: Any) -> Iterator[tuple[str, str | None]]:  # noqa: ANN401 -- Any JSON.
    """Yield the fields of objects within a schema that have values, with their descriptions."""
    if isinstance(schema, list):
        for item in schema:
            yield from _properties(item)
    elif isinstance(schema, dict):
        for field, inner in schema.get("properties", {}).items():
            if "properties" not in inner:
                yield field, inner.get("description")
        for inner in schema.values():
            yield from _properties(inner)


def test_the_help_of_a_command_lists_its_fields(nothing: Shell) -> None:
    """With what each means; those that a write has in common, too."""
    text = " ".join(nothing.output_of("refunds", "list", "--help").split())
    assert "claimed_at When the refund was claimed." in text
    assert "amount What the customer wants back." in text
    text = " ".join(nothing.output_of("requests", "accept", "--help").split())
    assert "dry_run Whether nothing was recorded, because of --dry-run." in text
    assert "Fields" not in nothing.output_of("preferences", "export", "--help")


def test_a_schema_has_the_fields_in_their_order_and_types(nothing: Shell) -> None:
    """Amounts and decimals are texts, spans are seconds, rows are objects, None is null."""
    schema = _schema(nothing, "requests", "list")
    fields = schema["items"]["properties"]
    assert schema["title"] == "liveportal requests list"
    assert schema["items"]["required"] == list(fields)
    assert list(fields)[:5] == ["id", "kind", "state", "direct", "customer"]
    assert list(fields["customer"]["properties"]) == ["id", "name"]
    amount = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
    assert fields["rate"] == amount | {"description": "The rate per minute."}
    assert fields["customer_rating"]["type"] == ["string", "null"]
    assert fields["left_seconds"]["type"] == ["integer", "null"]
    assert fields["expires"].items() >= {"type": ["string", "null"], "format": "date-time"}.items()
    assert fields["slots"]["items"]["required"] == ["slot", "start", "minutes"]
    shown = _schema(nothing, "requests", "show")["properties"]
    assert list(shown["customer"]["properties"]) == ["id", "name", "timezone", "language"]


def test_a_default_command_has_the_schema_of_its_group(nothing: Shell) -> None:
    """As its group alone runs it."""
    shown = _schema(nothing, "preferences", "show")
    assert _schema(nothing, "preferences") == shown | {"title": "liveportal preferences"}


def test_the_result_of_a_write_has_the_common_fields(states: Shell) -> None:
    """One id gives one object; of many each may have failed."""
    one = _schema(states, "requests", "add")
    assert list(one["properties"])[:4] == ["id", "state", "error", "message"]
    assert one["properties"]["error"]["type"] == "null"
    validator = Draft202012Validator(_schema(states, "requests", "accept"), format_checker=FORMATS)
    ran = states.run("requests", "accept", "REQ-2001", "NONE", "--anyway", "--json")
    accepted, failed = json.loads(ran.out)
    assert [accepted["error"], failed["error"]] == [None, "not_found"]
    assert validator.is_valid(accepted)
    assert validator.is_valid([accepted, failed])
    assert not validator.is_valid(failed)
    assert not validator.is_valid([failed | {"message": None}])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"more": 1}, "Additional properties are not allowed"),
        ({"means": None}, "None is not of type 'string'"),
        ({"left_seconds": 1.5}, "1.5 is not of type 'integer', 'null'"),
        ({"due": "2026-10-05 09:00"}, "is not a 'date-time'"),
        ({"amount": 5}, "5 is not of type 'string', 'null'"),
    ],
)
def test_what_the_schema_does_not_say_is_noticed(
    states: Shell, row: dict[str, Any], problem: str
) -> None:
    """The helper that runs the program finds a field or value that is not declared."""
    (first, *_) = states.ok("due")
    check_output(["due", "--json"], json.dumps([first]))
    with pytest.raises(ValidationError, match=re.escape(problem)):
        check_output(["due", "--json"], json.dumps([first | row]))
    with pytest.raises(ValidationError, match="'kind' is a required property"):
        check_output(["due", "--jsonl"], json.dumps({"id": first["id"]}))
    check_output(["due", "--jsonl", "--fields", "id"], json.dumps({"id": first["id"]}))


# --- events ---------------------------------------------------------------------------------------


def test_what_feeds_say_fits_their_schema(nothing: Shell) -> None:
    """The shipped sample, and events of every state."""
    schema = _schema(nothing, "feed")
    validator = Draft202012Validator(schema, format_checker=FORMATS)
    lines = [
        *OCTOBER.read_bytes().splitlines(),
        *(line for text in FEED for line in text.splitlines()),
    ]
    for line in lines:
        validator.validate(json.loads(line))
    assert len(lines) > 30


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        (
            "tip.received",
            {"session": "S-1", "amount": {"amount": "0.00", "currency": "USD"}},
            "amount",
        ),
        ("tip.received", {"session": "S-1", "amount": 5}, "amount"),
        (
            "tip.received",
            {"session": "S 1", "amount": {"amount": "1.00", "currency": "USD"}},
            "session",
        ),
        ("session.ended", {"session": "S-1", "billed": None}, "billed"),
        ("session.missed", {"session": "S-1", "by": "platform"}, "by"),
        ("session.started", {"session": "S-1", "minutes": 5}, "data"),
        ("session.started", {}, "data"),
        ("session.rescheduled", {"session": "S-1", "start": "tomorrow"}, "start"),
        ("review.posted", {"session": "S-1", "by": "expert", "rating": 6}, "rating"),
        ("preferences.changed", {"skills": ["c"]}, "data"),
    ],
)
def test_what_is_no_event_does_not_fit(kind: str, data: dict[str, Any], field: str) -> None:
    """What reading a line refuses by its form, the schema refuses, too, at the same place."""
    schema = feed_schema()["$defs"][kind]
    validator = Draft202012Validator(schema, format_checker=FORMATS)
    errors = list(validator.iter_errors(BASE | {"type": f"liveportal.{kind}", "data": data}))
    assert {str(error.absolute_path[min(1, len(error.absolute_path) - 1)]) for error in errors} == {
        field
    }
    line = json.dumps(BASE | {"type": f"liveportal.{kind}", "data": data}).encode()
    with pytest.raises(LiveportalError):
        check_content(parse(line), Origin.FEED)


def test_a_feed_may_not_use_the_experts_source_or_types() -> None:
    """The schema of a feed has no type that only the expert records, and not his source."""
    schema = feed_schema()
    assert "policy.adopted" not in schema["$defs"]
    assert "customer.erasure_requested" in schema["$defs"]
    line = BASE | {"type": "liveportal.session.started", "data": {"session": "S-1"}}
    validator = Draft202012Validator(schema, format_checker=FORMATS)
    assert validator.is_valid(line)
    assert not validator.is_valid(line | {"source": "urn:liveportal:cli"})
    assert not validator.is_valid(line | {"Subject": "S-1"})
    assert validator.is_valid(line | {"subject": "S-1"})


@pytest.mark.parametrize("kind", TYPES)
def test_every_event_has_a_schema(nothing: Shell, kind: str) -> None:
    """By its type, with or without the prefix that it has in a feed."""
    schema = _schema(nothing, "event", kind)
    assert schema["properties"]["type"] == {"const": f"liveportal.{kind}"}
    assert schema == _schema(nothing, "event", f"liveportal.{kind}")


@pytest.mark.parametrize("kind", TYPES)
def test_a_schema_says_what_the_event_and_its_fields_mean(kind: str) -> None:
    """Down to the fields of nested objects; a form of a text is no meaning."""
    schema = event_schema(TYPES[kind])
    undescribed = [
        path for path, text in _descriptions("", schema["properties"]["data"]) if not text
    ]
    assert undescribed == []
    assert schema["description"].endswith(".")
    assert feed_schema()["$defs"].get(kind, schema)["description"] == schema["description"]


def _descriptions(path: str, schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each field's path and the sentence that describes it, if one does."""
    if set(schema.get("properties", ())) == {"amount", "currency"}:
        return
    for name, field in schema.get("properties", {}).items():
        description = field.get("description", "")
        yield f"{path}{name}", description if description.endswith(".") else ""
        yield from _descriptions(f"{path}{name}.", field.get("items", field))


def test_what_a_ledger_exports_fits_the_schemas_of_its_events(states: Shell) -> None:
    """The expert's own events, and the attributes of an export."""
    states.ok(
        "preferences", "set", "--skill", "shaders", "--hours", "mon 9-12", "--buffer-before", "5"
    )
    for line in states.output_of("ledger", "export", "events").splitlines():
        event = json.loads(line)
        kind = TYPES[event["type"].removeprefix("liveportal.")]
        Draft202012Validator(event_schema(kind), format_checker=FORMATS).validate(event)


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("ledger export", "'ledger export' is a group. Name one of its commands: events, hledger,"),
        ("requests lst", "There is no command 'requests lst'. Did you mean list?"),
        ("nonsense", "There is no command 'nonsense'."),
        ("requests list more", "There is no command 'requests list more'."),
        ("demo", "The command 'demo' shows no rows, so it has no schema."),
        ("event", "Name a type of event. docs/EVENTS.md lists the types"),
        ("event session.begun", "'session.begun' is not a type of event"),
        ("feed more", "There is no command 'feed'."),
    ],
)
def test_what_has_no_schema_is_wrong_usage(nothing: Shell, words: str, message: str) -> None:
    """The message says what there is."""
    ran = nothing.run("schema", *words.split())
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("requests a", {"accept", "add"}),
        ("event payout.", {"payout.sent", "payout.paid", "payout.failed", "payout.returned"}),
        ("e", {"earnings", "event"}),
        ("f", {"feed"}),
        ("nonsense a", set()),
    ],
)
def test_a_shell_completes_its_words(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    wanted: set[str],
) -> None:
    """Commands as they are typed, and the types of events."""
    line = f"liveportal schema {words}"
    monkeypatch.setenv("_LIVEPORTAL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    assert main([]) == 0
    assert set(capsys.readouterr().out.split()) == wanted


def test_a_schema_is_written_to_a_file(nothing: Shell) -> None:
    """-o writes it whole; nothing is printed."""
    assert nothing.output_of("schema", "feed", "-o", "feed.json") == ""
    text = (nothing.folder / "feed.json").read_text()
    assert json.loads(text) == feed_schema()
