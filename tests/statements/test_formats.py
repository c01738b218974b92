"""Which format a file has: by its set of columns, and by name for what is not a statement."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from liveportal.cli.io.hints import spell
from liveportal.domain.errors import AmbiguousFormat, MalformedFile, UnknownFormat
from liveportal.statements import registry
from liveportal.statements.formats import Format
from liveportal.statements.options import Options
from liveportal.statements.rows import Meaning
from liveportal.tables.columns import Cells, Columns
from tests.kit.paypal_files import (
    DEFAULT,
    STATEMENT,
    PayPalAccount,
    read,
    write,
)
from tests.kit.paypal_locales import LOCALES, Locale
from tests.statements.test_round_trips import some_account


def workbook() -> bytes:
    """Return an archive that looks like a workbook."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", ".xls"),
        (workbook(), ".xlsx"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xef\xbb\xbf <!DOCTYPE html><html>", "web page"),
        (b'<?xml version="1.0"?>', "XML"),
        (b'{"rows": []}', "JSON"),
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "empty"),
        (b'"RH","2026/10/05 00:00:00 +0000","A","X",011\n"FH",01\n"SB","8XK"\n', "settlement"),
        (b"Dear Sir,\nyour payout\n", "'Dear Sir'"),
    ],
)
def test_what_is_not_a_statement_is_refused_by_name(content: bytes, word: str) -> None:
    """The hint says which file to download, or which formats are known."""
    with pytest.raises(UnknownFormat) as caught:
        read(content)
    assert word in caught.value.message
    assert caught.value.details["line"] == 1
    assert caught.value.details["file"] == "1.csv"
    assert "CSV" in str(caught.value.hint)


def test_a_header_that_is_broken_is_refused() -> None:
    """An unclosed quotation mark, whatever the delimiter is."""
    with pytest.raises(MalformedFile, match="line 1: a quotation mark in this row is never closed"):
        read(b'"Date,Time,TimeZone\n')


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: locale.name)
def test_the_two_products_of_paypal_are_never_confused(locale: Locale) -> None:
    """They share twelve names of columns; each is refused as the other."""
    account = some_account()
    for shape, other in ((DEFAULT, "paypal-statement"), (STATEMENT, "paypal-activity")):
        content = account.file(shape, locale)
        assert read(content)[0].format == shape.form
        with pytest.raises(UnknownFormat):
            read(content, options=Options(format=other))


class _Bank(Format):
    """A format that a test adds: one class, and nothing else."""

    name = "bank"
    provider = "bank"
    label = "a bank's CSV"
    required = frozenset(("date", "gross"))

    def columns(self) -> Sequence[Columns]:
        """Return the columns in English."""
        names = {role: [f"Bank {role}"] for role in ("time", "zone", "currency", "id", "balance")}
        return [
            Columns.declared("en", {"date": ["Day"], "gross": ["Sum"], "type": ["What"], **names})
        ]

    def meaning(self, cells: Cells) -> Meaning:
        """Return what the types of this bank mean."""
        return Meaning.PAYMENT if cells["type"] == "pay" else Meaning.UNLISTED


_BANK = [
    ["Day", "Sum", "What", "Bank time", "Bank zone", "Bank currency", "Bank id", "Bank balance"],
    ["2026-10-05", "42,00", "pay", "9:00", "UTC", "EUR", "a", "42,00"],
    ["2026-10-06", "-2,00", "other", "10:00", "UTC", "EUR", "b", "40,00"],
]


def test_a_format_is_one_class_and_a_line_in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amounts without a fee are amounts, the balance is proved, and PayPal is still known."""
    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS, _Bank()))
    bank, paypal = read(write(_BANK), some_account().file())
    assert [(row.amount, row.meaning) for row in bank.rows] == [
        (42_00, Meaning.PAYMENT),
        (-2_00, Meaning.UNLISTED),
    ]
    assert bank.proofs[1].proved == 1
    assert bank.unlisted == ("other",)
    assert paypal.format == "paypal-activity"


def test_a_format_may_have_no_times_zones_and_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows then have a day only, and digests as ids, with an ordinal among equal rows."""
    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS, _Bank()))
    bare = [[*row[:3], row[5]] for row in _BANK]
    (file,) = read(write([*bare, bare[1], bare[1]]))
    ids = [row.row for row in file.rows]
    assert len(set(ids)) == 4
    assert sum(name.endswith((":2", ":3")) for name in ids) == 2
    assert [row.row for row in read(write([*bare, bare[1], bare[1]]))[0].rows] == ids
    assert all(row.time is None for row in file.rows)
    assert {row.day.isoformat() for row in file.rows} == {"2026-10-05", "2026-10-06"}
    untimed = [row[:4] + row[5:] for row in _BANK]
    assert read(write(untimed))[0].rows[0].time is None
    (file,) = read(write(untimed), options=Options(timezone="Europe/Berlin"))
    assert file.rows[0].time == datetime(2026, 10, 5, 7, tzinfo=UTC)


def test_a_header_that_two_formats_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are named, and the option that chooses one; with it, the file is read."""

    class Other(_Bank):
        name = "other-bank"

    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS, _Bank(), Other()))
    with pytest.raises(AmbiguousFormat) as caught:
        read(write(_BANK))
    assert (
        caught.value.message == "1.csv, line 1: the header fits two formats: bank and other-bank."
    )
    assert caught.value.details["formats"] == ["bank", "other-bank"]
    assert spell(caught.value.hint) == "Choose one of them with --format."
    assert read(write(_BANK), options=Options(format="other-bank"))[0].format == "other-bank"


# --- what rows mean -------------------------------------------------------------------------------


def _typed(words: str, code: str = "", **options: str) -> Meaning:
    """Return the meaning of a row with these words and this code."""
    account = PayPalAccount()
    account.payout("1.00", "2026-10-15T09:00:00Z")
    lines = account.lines()
    lines[0].append("Transaction Event Code")
    lines[1].append(code)
    lines[1][lines[0].index("Type")] = words
    return read(write(lines), options=Options(kinds=options))[0].rows[0].meaning


SEEN = {
    Meaning.PAYMENT: (
        "Mass Pay Payment|General Payment|Payment Received|Website Payment|Allgemeine Zahlung"
        "|Paiement reçu|Paiement standard|Pago estándar"
    ),
    Meaning.OWN_TRANSFER: (
        "General Withdrawal|User Initiated Withdrawal|General Withdrawal - Bank Account"
        "|Bank Deposit to PP Account |General Card Deposit|General Card Withdrawal"
        "|Funds Added From a Bank Account|Allgemeine Abbuchung|Von Nutzer eingeleitete Abbuchung"
        "|Bankgutschrift auf PayPal-Konto|Überweisung als Zahlungsquelle"
        "|Allgemeine Gutschrift auf Kreditkarte|Allgemeine Abbuchung von Kreditkarte"
        "|Virement standard|Approvisionnement pour virement électronique|Débit sur carte bancaire"
        "|Retirada iniciada por el usuario"
    ),
    Meaning.CONVERSION: (
        "General Currency Conversion|User Initiated Currency Conversion|Currency Conversion"
        "|Allgemeine Währungsumrechnung|Conversion de devise|Conversion de devise (standard)"
        "|Conversione di valuta generica|Conversión de divisas general|Algemeen valutaomrekening"
    ),
    Meaning.HOLD: (
        "Payment Hold|Payment Review Hold|General Hold|Account Hold for Open Authorization"
        "|Hold on Balance for Dispute Investigation|Temporary Hold|Pending Balance Payment"
        "|Einbehaltung für offene Autorisierung"
    ),
    Meaning.RELEASE: (
        "Payment Release|Payment Review Release|General Release|Reversal of General Account Hold"
        "|Cancellation of Hold for Dispute Resolution|Rückbuchung allgemeiner Einbehaltung"
    ),
    Meaning.RETURN: "Payment Reversal|Payment Refund|Chargeback|Chargeback Reversal",
    Meaning.MEMO: "General Authorization|Void of Authorization|Order|Invoice Received|Request",
}
"""The types that were seen in real files, or in importers, by what they mean."""


def test_every_type_that_was_seen_is_listed() -> None:
    """An unlisted one would stop a file in which it follows a payout."""
    form = registry.FORMATS[0]
    for meaning, words in SEEN.items():
        for each in words.split("|"):
            assert form.meaning({"type": each}) is meaning, each


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("Mass Pay Payment", Meaning.PAYMENT),
        ("Paiement reçu", Meaning.PAYMENT),
        ("Bank Deposit to PP Account ", Meaning.OWN_TRANSFER),
        ("Von Nutzer eingeleitete Abbuchung", Meaning.OWN_TRANSFER),
        ("USER INITIATED  currency conversion", Meaning.CONVERSION),
        ("Account Hold for Open Authorization", Meaning.HOLD),
        ("Reversal of General Account Hold", Meaning.RELEASE),
        ("Payment Reversal", Meaning.RETURN),
        ("Chargeback", Meaning.RETURN),
        ("Chargeback Fee", Meaning.FEE),
        ("Rücklastschriftgebühr", Meaning.OTHER),
        ("Sold a kidney", Meaning.UNLISTED),
    ],
)
def test_words_have_a_meaning(words: str, meaning: Meaning) -> None:
    """In any language, in any case, without regard to spaces; others are unlisted."""
    assert _typed(words) is meaning


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("T0001", Meaning.PAYMENT),
        ("T0011", Meaning.PAYMENT),
        ("T0003", Meaning.OTHER),
        ("T0104", Meaning.FEE),
        ("T0200", Meaning.CONVERSION),
        ("T0403", Meaning.OWN_TRANSFER),
        ("T1114", Meaning.RETURN),
        ("T1115", Meaning.RETURN),
        ("T1105", Meaning.RELEASE),
        ("T1503", Meaning.HOLD),
        ("T2107", Meaning.HOLD),
        ("T2108", Meaning.RELEASE),
        ("T9999", Meaning.UNLISTED),
        ("", Meaning.UNLISTED),
    ],
)
def test_codes_say_what_unlisted_words_do_not(code: str, meaning: Meaning) -> None:
    """The group is enough, and a listed word wins."""
    assert _typed("Etwas ganz anderes", code) is meaning
    assert _typed("General Withdrawal", code) is Meaning.OWN_TRANSFER


def test_the_users_own_words_win() -> None:
    """`[reconcile.kinds]` teaches a word, also one that is listed."""
    assert _typed("Sold a kidney", **{" sold a KIDNEY": "payment"}) is Meaning.PAYMENT
    assert _typed("General Payment", **{"General Payment": "own_transfer"}) is Meaning.OWN_TRANSFER


def test_unlisted_types_are_listed_once_in_their_own_words() -> None:
    """Other rows of the file are read and proved as ever."""
    account = PayPalAccount()
    for day in (15, 16, 17):
        account.payout("1.00", f"2026-10-{day}T09:00:00Z")
    lines = account.lines()
    at = lines[0].index("Type")
    lines[1][at] = lines[3][at] = " Sold a kidney"
    (file,) = read(write(lines))
    assert file.unlisted == ("Sold a kidney",)
    assert [row.meaning for row in file.rows] == [
        Meaning.UNLISTED,
        Meaning.PAYMENT,
        Meaning.UNLISTED,
    ]
    assert file.proofs[1].proved == 2
