"""A canary tax number and account number pass through everything, and never appear unmasked.

Every command in every format, with its help and its errors, every log line and every file that is
left behind: no more of a number than its last four characters may appear, however they are
grouped, encoded or reversed.
"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from typing import TYPE_CHECKING, NamedTuple

import pytest

from liveportal.cli.app import COMMANDS
from liveportal.cli.commands.payouts import profile
from liveportal.ledger.secrets import encrypted_fields
from tests.kit.ledger_files import query
from tests.kit.states import OWN_POLICY, READS, WRITES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liveportal.domain.profile.fields import Values
    from tests.commands.conftest import Prepare
    from tests.kit.shell import Ran, Shell

FORMATS = ((), ("--json",), ("--jsonl",), ("--csv",), ("--tsv",), ("--header",))
PROFILE = ("payout", "profile")
SET = (*PROFILE, "set")
LONGEST_LEFT = 8  # Consecutive digits of a number: fewer would occur by chance in hashes and times.


class Canary(NamedTuple):
    """A whole profile as a file, and its numbers that must not be seen."""

    document: str
    secrets: tuple[str, ...]

    def of(self, name: str) -> str:
        """Return the value that the file gives for a field."""
        return str(tomllib.loads(self.document)[name])


US = Canary(
    """
    name = "Joe Bloggs"
    email = "joe@example.com"
    method = "us_account"
    us_routing = "111000025"
    us_account = "0048-1290-7365"
    country = "US"
    tax_form = "w9"
    tax_number = "536-72-8419"
    tax_signed = 2026-01-05
    address = {lines = ["1 Main St"], city = "Austin", region = "TX", postal_code = "78701"}
    """,
    ("004812907365", "536728419"),
)
GERMAN = Canary(
    """
    name = "Anna Example"
    email = "anna@example.com"
    method = "iban"
    iban = "DE72 3704 0044 0914 7258 36"
    country = "DE"
    tax_form = "w8ben"
    tax_number = "65 929 970 489"
    tax_signed = 2026-01-05
    address = {lines = ["Torstr. 1"], city = "Berlin", postal_code = "10119"}
    """,
    ("370400440914725836", "65929970489"),
)


# --- finding --------------------------------------------------------------------------------------


def _bare(content: bytes) -> bytes:
    """Remove grouping and padding: spaces, dashes, colours, the zero bytes of UTF-16."""
    return re.sub(rb"[^0-9A-Za-z]", b"", re.sub(rb"\x1b\[[0-9;]*m", b"", content))


def _encoded(secret: str) -> Iterator[bytes]:
    """Yield a number's forms in base64, at any offset, and in hex."""
    for raw in (secret.encode(), secret.encode("utf-16-le")):
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        for offset in range(3):
            whole = base64.b64encode(b"\0" * offset + raw)
            # The first and the last few characters depend on the surrounding bytes.
            yield whole[4 if offset else 0 : -4]


def leaks(content: bytes, canary: Canary) -> list[str]:
    """Return in which ways a number shows in a content."""
    bare = _bare(content)
    ways = []
    for secret in canary.secrets:
        for text in (secret, secret[::-1]):
            parts = [text[n : n + LONGEST_LEFT] for n in range(len(text) - LONGEST_LEFT + 1)]
            ways += [f"{part} in plain" for part in parts if part.encode() in bare]
        ways += [f"{form!r}" for form in _encoded(secret) if form in content]
    return ways


def test_what_is_looked_for_would_be_found() -> None:
    """However a number is written."""
    for text in ("536728419", "536-72-8419", "5 3 6 7 2 8 4 1 9", "914827635", "53672841"):
        assert leaks(text.encode(), US), text
    for content in (
        "536-72-8419".encode("utf-16-le"),
        "536-72-8419".encode("utf-16-be"),
        base64.b64encode(b"tax 536728419 and more"),
        base64.b64encode(b"a536728419z"),
        b"536728419".hex().encode(),
        b"\x1b[1m536\x1b[0m-72-8419",
    ):
        assert leaks(content, US), content
    assert not leaks(b"***-**-8419 and **** 7365 at 2026-10-05 09:30", US)


# --- everything -----------------------------------------------------------------------------------


class Watch:
    """Runs commands, and checks everything that they print."""

    def __init__(self, shell: Shell, canary: Canary) -> None:
        self.shell = shell
        self.canary = canary
        self.runs = 0

    def __call__(self, *argv: str, stdin: str = "", terminal: bool = False) -> Ran:
        """Run a command, which may fail, and check both streams."""
        ran = self.shell.run(*argv, stdin=stdin.encode(), terminal=terminal)
        self.runs += 1
        assert not leaks((ran.out + ran.err).encode(), self.canary), (argv, ran)
        return ran

    def everywhere(self, *argv: str) -> None:
        """Run a command in every format, and on a terminal."""
        for form in FORMATS:
            self(*argv, *form)
        self(*argv, terminal=True)

    def files(self) -> None:
        """Check every file that exists, including the key."""
        looked_at = 0
        for path in self.shell.folder.rglob("*"):
            if path.is_file():
                looked_at += 1
                assert not leaks(path.read_bytes(), self.canary), path
                assert not leaks(str(path).encode(), self.canary)
        assert looked_at >= 2


@pytest.fixture(
    params=[pytest.param(US, id="us"), pytest.param(GERMAN, id="german", marks=pytest.mark.slow)]
)
def watch(request: pytest.FixtureRequest, states: Shell, prepared: Prepare) -> Watch:
    """Give a ledger with something in every state, and a profile with a canary in it."""
    made = Watch(states, request.param)

    def fill(states: Shell) -> None:
        for dry in (("--dry-run",), ()):
            for form in (("--json",), ()):
                made(*SET, "--from", "-", "--anyway", *dry, *form, stdin=made.canary.document)
        assert states.ok(*PROFILE)["complete"] is True

    prepared(made.canary.document, states, fill)
    return made


@pytest.mark.slow
def test_no_command_shows_it(watch: Watch) -> None:
    """Every read, the profile's in every format; every write, tried and done; the files after."""
    watch.shell.file("own.toml", OWN_POLICY)
    watch.files()
    others = (*READS, "ledger verify") if watch.canary is US else ()
    for command in others:  # JSON has every field that other formats have.
        watch(*command.split(), "--json")
        watch(*command.split(), terminal=True)
    for command in ("payout profile show", "payout profile check", "payout preview", "due"):
        watch.everywhere(*command.split())
        watch(*command.split(), "--as-known", "2999-01-01")
    for field in ("iban", "us_account", "tax_number"):
        watch(*PROFILE, "--field", field)
        watch(*PROFILE, "--csv", "--field", field, "-o", f"{field}.csv")
    for write in WRITES:
        watch(*write.argv, "--at", write.at, "--dry-run", "--json")
        watch(*write.argv, "--at", write.at, "--yes")
    watch.everywhere(*PROFILE, "rotate-key")
    watch.everywhere(*PROFILE)
    watch.files()
    assert watch.runs > 2 * len(others) + 6 * len(FORMATS) + 2 * len(WRITES)


def test_no_help_shows_it(watch: Watch) -> None:
    """What is in the ledger is no default and no example."""
    for name in COMMANDS:
        watch(name, "--help")
    for name in ("show", "set", "check", "rotate-key"):
        watch(*PROFILE, name, "--help")


def test_it_is_found_when_it_is_revealed(watch: Watch) -> None:
    """And only then, so the test can fail. The event records field names only."""
    ran = watch.shell.run(*PROFILE, "--reveal", "--yes")
    assert len({finding.split()[0] for finding in leaks(ran.out.encode(), watch.canary)}) > 2
    watch(*PROFILE, "--reveal")  # No terminal to ask at: it needs --yes, and shows nothing.
    watch.files()
    watch.everywhere(*PROFILE)


@pytest.mark.slow
def test_no_error_shows_it(watch: Watch) -> None:
    """A number in the wrong field, place or option, misspelt, or as no TOML at all."""
    for secret in watch.canary.secrets:
        for field in (*tomllib.loads(watch.canary.document), "paypal", "iban", "tax_expires", "x"):
            for text in (f'{field} = "{secret}"', f"{field} = {secret}", f'{field} = ["{secret}"]'):
                form = ("--json",) if "[" in text else ()
                watch(*SET, "--from", "-", "--dry-run", *form, stdin=text)
        for part in ("lines", "city", "region", "postal_code", "x"):
            text = f'country = "US"\naddress = {{{part} = "{secret}"}}'
            watch(*SET, "--from", "-", "--dry-run", stdin=text)
        for text in (
            f'"{secret}" = 1',
            f"[{secret}]\n[{secret}]",
            f"{secret}",
            f'iban = "{secret}',
        ):
            watch(*SET, "--from", "-", stdin=text)
        for name in ("iban", "us-account", "tax-number", "nothing"):
            watch(*SET, f"--{name}", secret)
            watch(*SET, f"--{name}={secret}", "--json")
            watch(*SET, f"--{name}", "-", stdin=secret + "9" * 9)
            watch(*SET, f"--{name}", "-", stdin=f"{secret}\0\x1b[2J")
        watch(*SET, secret)
        watch(*SET, "--name", "Joe", secret, "--json")
        for name in ("email", "country", "method", "tax-form", "tax-signed", "us-routing"):
            watch(*SET, f"--{name}", secret)
    watch.files()


def test_no_refusal_shows_it(watch: Watch) -> None:
    """A conflict, a caution, an incomplete pair: only the fields are named."""
    document = watch.canary.document
    watch(*SET, "--from", "-", "--anyway", "--key", "k", "--name", "Other", stdin=document)
    ran = watch(*SET, "--from", "-", "--anyway", "--key", "k", "--json", stdin=document)
    assert json.loads(ran.err)["error"]["code"] == "conflict"
    watch(*SET, "--from", "-", "--country", "FR", "--json", stdin=document)
    watch(*SET, "--from", "-", "--method", "paypal", stdin=document)
    watch(*SET, "--from", "-", "--tax-form", "vat", stdin=document)
    watch(*SET, "--tax-number", "-", stdin=watch.canary.of("tax_number"))
    watch(*SET, "--start-over", "--from", "-", stdin=document)
    watch.files()


@pytest.mark.damages
def test_no_bug_shows_it(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even if the program crashes with the values at hand and prints all details."""

    def careless(_change: object, force: Values, **_more: object) -> None:
        raise RuntimeError(f"{force} {dict(force)!r} {[str(value) for value in force.values()]}")

    monkeypatch.setenv("LIVEPORTAL_DEBUG", "1")
    caplog.set_level("DEBUG")
    with monkeypatch.context() as patch:
        patch.setattr(profile, "judge", careless)
        ran = watch(*SET, "--from", "-", stdin=watch.canary.document)
        assert "Traceback" in ran.err
        assert "****" in ran.err
    key = watch.shell.folder / "ledger.db.key"
    good = key.read_bytes()
    for bad in (b"", b"x", good[::-1], good.replace(b"=", b"A")):
        key.write_bytes(bad)
        watch(*PROFILE)
        watch(*SET, "--from", "-", "--anyway", stdin=watch.canary.document)
    key.write_bytes(good)
    query(watch.shell.ledger, "UPDATE sealed_value SET seq = 1")
    assert json.loads(watch(*PROFILE, "--json").err)["error"]["code"] == "sealed_value_unreadable"
    watch.everywhere(*PROFILE, "check")
    watch.files()
    assert not leaks(caplog.text.encode(), watch.canary)


def test_no_copy_shows_it(watch: Watch) -> None:
    """A copy as SQLite makes it, the whole journal as text, and the log before it is emptied."""
    copy = watch.shell.folder / "backup.db"
    query(watch.shell.ledger, "VACUUM INTO ?", str(copy))
    assert not leaks(json.dumps(watch.shell.dump(), default=repr).encode(), watch.canary)
    watch(*SET, "--from", "-", "--anyway", "--name", "Somebody", stdin=watch.canary.document)
    assert not leaks(repr(query(watch.shell.ledger, "SELECT * FROM event")).encode(), watch.canary)
    watch.files()


@pytest.mark.damages
def test_the_canary_sings(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """If values were kept as they are, these tests would see it."""

    class Glass:
        """A cipher that hides nothing."""

        def encrypt(self, _nonce: bytes, text: bytes, _bound: bytes) -> bytes:
            return text

        decrypt = encrypt

    monkeypatch.setattr(encrypted_fields, "_cipher", lambda _key: Glass())
    again = (*SET, "--from", "-", "--start-over", "--yes", "--anyway")
    assert watch(*again, stdin=watch.canary.document).code == 0
    with pytest.raises(AssertionError):
        watch.files()
