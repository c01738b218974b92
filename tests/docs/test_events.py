"""FEED.md and EVENTS.md are tests: they are current, and what they show is recorded as it is."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from liveportal.domain.errors import LiveportalError
from liveportal.domain.events.envelope import PREFIX
from liveportal.domain.events.fields import field_specs
from liveportal.domain.events.sources import Origin, check_content, check_source
from liveportal.domain.events.types import TYPES
from liveportal.feeds.json_schema import event_schema, feed_schema
from liveportal.feeds.jsonl import parse
from tests.kit.schemas import FORMATS
from tests.kit.shell import Shell

ROOT = Path(__file__).parents[2]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = _load(ROOT / "docs" / "make_events.py")
FEED, EVENTS = PAGES.PAGES
TEXTS = {page.name: page.target.read_text("utf-8") for page in PAGES.PAGES}
BOTH = pytest.mark.parametrize("page", PAGES.PAGES, ids=lambda page: page.name)


def _blocks(page: Any, language: str) -> list[str]:  # noqa: ANN401 (a page of the script)
    return re.findall(rf"```{language}\n(.*?)```", TEXTS[page.name], re.DOTALL)


def _shown_events(page: Any) -> list[str]:  # noqa: ANN401
    """Return the examples that a page shows below its types."""
    types = TEXTS[page.name].partition("## The types of events")[2]
    return re.findall(r"```json\n(.*)\n```", types)


def _types_on(page: Any) -> list[str]:  # noqa: ANN401
    return re.findall(r"^### (\S+)$", TEXTS[page.name], re.MULTILINE)


@BOTH
def test_the_page_is_what_the_declarations_say(page: Any) -> None:  # noqa: ANN401
    """`make docs` writes it again."""
    assert TEXTS[page.name] == PAGES.text_of(page)
    assert "{{" not in TEXTS[page.name]


def test_every_field_of_every_type_is_on_one_page() -> None:
    """What a feed may report is on the one, what only the expert may is on the other."""
    fields = Counter(
        (kind.TYPE, name)
        for page in PAGES.PAGES
        for kind in page.kinds()
        for name in page.fields(kind)
    )
    declared = {(name, field) for name, kind in TYPES.items() for field, *_ in field_specs(kind)}
    assert set(fields) == declared
    assert set(fields.values()) == {1}
    assert set(_types_on(FEED)) | set(_types_on(EVENTS)) == set(TYPES)
    assert set(_types_on(FEED)) & set(_types_on(EVENTS)) == {"preferences.changed"}


@BOTH
def test_every_field_of_a_type_is_in_its_table(page: Any) -> None:  # noqa: ANN401
    """With its type and its meaning; nested fields, too."""
    for kind in page.kinds():
        section = re.split(rf"^### {re.escape(kind.TYPE)}$", TEXTS[page.name], flags=re.MULTILINE)[
            1
        ]
        table = section.partition("\n```")[0]
        for name in page.fields(kind):
            (row,) = re.findall(
                rf"^\| `{name}` \| (.+) \| .* \| .* \| (.+) \|$", table, re.MULTILINE
            )
            assert all(cell.strip() for cell in row)


@pytest.mark.usefixtures("tmp_ledger_env")
def test_every_example_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed's as `sync` records the story that they are taken from, the expert's own as an import.

    The examples that the pages show are lines of these files.
    """
    monkeypatch.setenv("LIVEPORTAL_LEDGER", str(tmp_path / "ledger.db"))
    shell = Shell(tmp_path, tmp_path / "ledger.db")
    shell.ok("init")
    synced = shell.ok("sync", str(FEED.source("jsonl")))
    assert synced["recorded"] == len(FEED.examples())
    imported = shell.ok("ledger", "import", str(EVENTS.source("jsonl")), "--yes")
    assert imported["recorded"] == len(EVENTS.examples())
    for page in PAGES.PAGES:
        assert set(_shown_events(page)) <= set(page.examples())


@BOTH
def test_every_type_has_an_example_of_each_of_its_fields(page: Any) -> None:  # noqa: ANN401
    """Each optional field is in one of the examples that the page shows, nested ones included."""
    for kind in page.kinds():
        events = [json.loads(line) for line in _shown_events(page)]
        given = {
            path
            for event in events
            if event["type"] == PREFIX + kind.TYPE
            for path in PAGES.value_paths(event["data"])
        }
        documented = {row.path for row in PAGES.field_rows(kind, page.fields(kind))}
        assert documented - given == set()


def test_the_examples_are_valid_and_said_by_whom_the_page_says() -> None:
    """A feed's fit the schema of a feed; the expert's own are refused in a feed."""
    of_feeds = Draft202012Validator(feed_schema(), format_checker=FORMATS)
    for line in FEED.examples():
        of_feeds.validate(json.loads(line))
    for line in EVENTS.examples():
        event = json.loads(line)
        kind = TYPES[event["type"].removeprefix(PREFIX)]
        Draft202012Validator(event_schema(kind), format_checker=FORMATS).validate(event)
        in_feed = parse(json.dumps(event | {"source": "https://help.example"}).encode())
        with pytest.raises(LiveportalError) as refused:
            check_content(in_feed, Origin.FEED)
        assert refused.value.code == "not_for_feeds"
        with pytest.raises(LiveportalError):
            check_source(parse(line.encode()), Origin.FEED)


@pytest.mark.slow
@pytest.mark.usefixtures("tmp_ledger_env")
def test_the_month_runs_as_written_and_earns_what_the_page_says(tmp_path: Path) -> None:
    """The first block is the feed, the second what the commands show."""
    feed, shown, error, *_ = _blocks(FEED, "json")
    (commands,) = _blocks(FEED, "sh")
    (tmp_path / "my.jsonl").write_text(feed, "utf-8")
    ran = _run(tmp_path, commands)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith(shown)
    (tmp_path / "wrong.jsonl").write_text(PAGES.wrong_feed(TEXTS["FEED"]), "utf-8")
    ran = _run(tmp_path, "LIVEPORTAL_LEDGER=try.db liveportal sync wrong.jsonl --json")
    assert (ran.returncode, ran.stderr) == (1, error)


def _run(folder: Path, commands: str) -> subprocess.CompletedProcess[str]:
    program = folder / "liveportal"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m liveportal "$@"\n')
    program.chmod(0o700)
    return subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@BOTH
def test_links_lead_to_headings(page: Any) -> None:  # noqa: ANN401
    """On this page and on the other one."""
    headings = {
        name: {PAGES._anchor(text) for text in re.findall(r"^#+ (.*)$", page_text, re.MULTILINE)}  # noqa: SLF001
        for name, page_text in TEXTS.items()
    }
    for target, anchor in re.findall(r"\]\(([^)#]*)#([^)]+)\)", TEXTS[page.name]):
        assert anchor in headings[target.removesuffix(".md") or page.name]


def _codes(kind: type[LiveportalError]) -> set[str]:
    return {kind.code}.union(*(_codes(below) for below in kind.__subclasses__()))


def test_the_errors_of_a_feed_exist() -> None:
    """With the exit codes that the table gives."""
    table = TEXTS["FEED"].partition("| Code | Exit |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z_]+)`", table))
    assert named - _codes(LiveportalError) == set()
    assert len(named) > 10
