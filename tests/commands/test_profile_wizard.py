"""`payout profile set` on a terminal: field by field, each answer checked, numbers hidden."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from liveportal.cli.commands.payouts import profile as payouts_profile
from liveportal.cli.commands.payouts.profile import options, wizard
from liveportal.cli.io import prompts
from liveportal.cli.io.errors import NOTHING_RECORDED
from tests.commands.test_profile import IBAN, SET, SHOW, TAX_NUMBER, events
from tests.kit.shell import PROGRAM

if TYPE_CHECKING:
    from tests.kit.shell import Ran, Shell

pytestmark = pytest.mark.slow


INTERRUPT = "\x03"


class Person:
    """A scripted user: answers, and records the questions and the hidden answers."""

    def __init__(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shell = shell
        self.asked: list[str] = []
        self.hidden: list[str] = []
        self._answers: Iterator[str] = iter(())
        for module in (wizard, options):
            monkeypatch.setattr(module, "ask_hidden", self._hidden)
        monkeypatch.setattr(wizard, "ask_line", self._answer)
        for module in (prompts, payouts_profile, options):
            monkeypatch.setattr(module, "can_ask", lambda: True)

    def __call__(self, *argv: str, answers: tuple[str, ...], yes: str = "y") -> Ran:
        """Type a command, and answer its questions; `yes` answers a yes-or-no question."""
        self._answers = iter(answers)
        self.asked, self.hidden = [], []
        ran = self.shell.run(*argv, stdin=f"{yes}\n".encode() * 3)
        assert next(self._answers, None) is None or ran.code, "not all was asked for"
        return ran

    def _answer(self, question: str) -> str:
        self.asked.append(question)
        if (text := next(self._answers, None)) == INTERRUPT:
            raise KeyboardInterrupt
        if text is None:
            raise prompts.Declined(NOTHING_RECORDED)
        return text

    def _hidden(self, question: str) -> str:
        self.hidden.append(question)
        return self._answer(question)


@pytest.fixture
def person(empty: Shell, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Give a user at a terminal, under a policy that also pays by bank transfer."""
    empty.ok("policy", "use", "quarter-hour")
    return Person(empty, monkeypatch)


GERMAN = (
    *("Narnia", "Germany", "", "Anna Example", "anna@", "anna@example.com"),
    *("cheque", "iban", "DE89370400440532013001", IBAN),
    *("Torstr. 1", "", "1", "Berlin", "", "", "10119", ""),  # A wrong postal code: once more.
    *("", "12", TAX_NUMBER, "tomorrow", "2026-01-05"),
)


def shown(shell: Shell) -> dict[str, Any]:
    """Return the profile in full."""
    profile: dict[str, Any] = shell.ok(*SHOW, "--reveal", "--yes")
    return profile


def test_all_is_asked_for(person: Person) -> None:
    """Each answer is checked at once and asked for again; one event at the end."""
    ran = person(*SET, answers=GERMAN)
    assert ran.code == 0, ran
    assert len(events(person.shell)) == 1
    profile = shown(person.shell)
    assert (profile["iban"], profile["tax_number"]) == (IBAN, TAX_NUMBER)
    assert (profile["tax_form"], profile["tax_signed"]) == ("w8ben", "2026-01-05")
    assert (profile["method"], profile["complete"]) == ("iban", True)
    for output in (
        "country is not a country. Write",
        "check digits",
        "postal_code is wrong",
        "in the future",
    ):
        assert output in ran.err
    assert {question.partition(" (")[0] for question in person.hidden} == {
        *("IBAN", "Your country's tax number"),
    }


def test_the_summary_is_masked(person: Person) -> None:
    """It shows what will be recorded, no number in full, and no field that is not set."""
    err = person(*SET, answers=GERMAN).err
    assert "iban: **** 3000\n" in err
    assert "tax number: ****0489\n" in err
    assert "address: Torstr. 1, 10119 BERLIN, GERMANY\n" in err
    assert IBAN not in err
    assert TAX_NUMBER not in err
    assert "(cleared)" not in err


def test_no_means_no(person: Person) -> None:
    """Without a yes at the end, or without further answers, nothing is recorded."""
    before = person.shell.dump()
    assert person(*SET, answers=GERMAN, yes="n").code == 7
    assert person(*SET, answers=GERMAN[:5]).code == 7
    assert person.shell.dump() == before


def test_an_interruption_offers_to_record_what_is_whole(person: Person) -> None:
    """Ctrl-C at the address: name, e-mail and account are kept, if you want; the rest later."""
    before = person.shell.dump()
    ran = person(*SET, answers=(*GERMAN[:10], INTERRUPT), yes="n")
    assert (ran.code, person.shell.dump()) == (7, before)
    assert ran.err.endswith("Nothing was recorded.\n")
    ran = person(*SET, answers=(*GERMAN[:10], INTERRUPT))
    assert ran.code == 0, ran
    assert "name: Anna Example\n" in ran.err
    assert IBAN not in ran.err
    profile = shown(person.shell)
    assert (profile["name"], profile["iban"]) == ("Anna Example", IBAN)
    assert (profile["address"], profile["complete"]) == (None, False)
    assert IBAN.encode() not in person.shell.ledger.read_bytes()


def test_an_interruption_before_anything_is_whole_records_nothing(person: Person) -> None:
    """There is nothing to offer, and it says so; answers are nowhere on the disk."""
    before = person.shell.dump()
    ran = person(*SET, answers=(INTERRUPT,))
    assert (ran.code, person.shell.dump()) == (130, before)


def test_enter_keeps_what_is_there(person: Person) -> None:
    """Changing nothing records nothing; the question shows the present value, masked."""
    person(*SET, answers=GERMAN)
    ran = person(*SET, answers=("",) * 12)
    assert ran.code == 0
    assert "unchanged" in ran.out
    assert len(events(person.shell)) == 1
    assert any("[**** 3000]" in question for question in person.asked)
    assert any("[****0489]" in question for question in person.asked)
    assert any("[10119]" in question for question in person.asked)
    assert not any(IBAN in question or TAX_NUMBER in question for question in person.asked)


def test_one_field_is_changed(person: Person) -> None:
    """The others stay, and the event names the given field."""
    person(*SET, answers=GERMAN)
    person(*SET, answers=("", "Anna Beispiel", *("",) * 10))
    assert events(person.shell)[-1]["fields"] == ["name"]
    person(*SET, answers=(*("",) * 11, "2026-02-01"))
    assert events(person.shell)[-1]["fields"] == ["tax_signed", "tax_expires"]
    person(*SET, answers=(*("",) * 10, "65929970489", ""))
    assert shown(person.shell)["tax_signed"] == "2026-02-01"


def test_moving_to_another_country(person: Person) -> None:
    """The address is asked again, and the form is that country's."""
    person(*SET, answers=GERMAN)
    moved = (
        *("US", "", "", "us_account", "111000025", "12345678"),
        *("1 Infinite Loop", "", "Cupertino", "california", "95014"),
        *("", "536904399", "536-90-4399", "2026-01-05"),
    )
    ran = person(*SET, answers=moved)
    assert ran.code == 0, ran
    profile = shown(person.shell)
    assert (profile["tax_form"], profile["tax_number"]) == ("w9", "536-90-4399")
    assert (profile["iban"], profile["us_account"]) == (None, "12345678")
    assert profile["address"]["region"] == "CA"
    assert "iban: (cleared)" in ran.err


def test_what_is_seldom_meant_is_asked_about(person: Person) -> None:
    """All answers were given by then: they are not lost for want of an option."""
    strange = (*GERMAN[:-4], "1234", "2022-01-05")
    ran = person(*SET, answers=strange)
    assert ran.code == 0, ran
    assert "does not look like a tax number of DE" in ran.err
    assert "expired on 2025-12-31" in ran.err


def test_one_method_is_no_choice(october: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a policy that pays by PayPal only it is not asked for."""
    person = Person(october, monkeypatch)
    answers = (
        *("IE", "Anna", "anna@example.com", "pay@example.com"),
        *("1 Main St", "", "", "Cork", "Co. Cork", "", "vat", "IE6433435F"),
    )
    ran = person(*SET, answers=answers)
    assert ran.code == 0, ran
    profile = shown(october)
    assert (profile["method"], profile["paypal"]) == ("paypal", "pay@example.com")
    assert (profile["tax_number"], profile["tax_signed"]) == ("IE6433435F", None)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
def test_what_is_typed_does_not_appear(empty: Shell) -> None:
    """On a real terminal a number is asked for without echo."""
    import pty

    argv = (*SET, "--tax-form", "w9", "--tax-signed", "2026-01-05", "--tax-number", "-")
    terminal, inner = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *argv],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=empty.environment(TERM="dumb"),
        start_new_session=True,
    ) as running:
        os.close(inner)
        seen = b""
        while not seen.endswith(b"(not shown): "):
            seen += os.read(terminal, 1000)
        os.write(terminal, b"536-90-4399\n")
        with suppress(OSError):  # Linux reports a closed writer like this.
            while more := os.read(terminal, 1000):
                seen += more
    os.close(terminal)
    assert running.returncode == 0
    assert b"Changed your payout profile" in seen
    assert b"536" not in seen
    assert shown(empty)["tax_number"] == "536-90-4399"
