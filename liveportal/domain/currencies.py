"""Currencies and their numbers of digits: ISO 4217, as published on 2026-01-01.

The list is the maintenance agency's own ("list one"), by number of digits of the minor unit. It
applies to new books only: a book stores its number of digits when it is created, and keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

_LISTED: Mapping[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP "
        "BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB "
        "EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES "
        "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
        "MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
        "RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP "
        "TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""Every currency of ISO 4217 that has a minor unit."""

_FORMER: Mapping[int, str] = {
    0: "ADP BYR ESP ITL LUF MGF MRO SLL STD TMM TRL ZMK ZWD",
    2: (
        "AFA ALK ANG AOK AON AOR ARA ARL ARM ARP ATS AZM BAD BAN BEC BEF BEL BGL BGM BGN "
        "BGO BOL BOP BRB BRC BRE BRN BRR BRZ BUK BYB CLE CNH CNX CSD CSK CUC CYP DDM DEM "
        "ECS ECV EEK ESA ESB FIM FRF GEK GHC GNS GQE GRD GWE GWP HRD HRK IEP ILP ILR ISJ "
        "KRH KRO LTL LTT LUC LUL LVL LVR MAF MCF MDC MKN MLF MTL MTP MVP MXP MZE MZM NIC "
        "NLG PEI PES PLZ PTE RHD ROL RUR SDD SDP SIT SKK SRG SUR TJR TPE UAK UGS USS UYP "
        "VEB VEF VNN XAG XAU XBA XBB XBC XBD XDR XEU XFO XFU XPD XPT XRE XSU XTS XUA XXX "
        "YDD YUD YUM YUN YUR ZAL ZRN ZRZ ZWL ZWR"
    ),
}
"""Currencies that left the list or have no minor unit in it, with the digits that books used."""

_EARLIER: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("COP", "HUF", "IDR", "RSD"), (0, 2)),
    **dict.fromkeys(("AFN", "ALL", "IQD", "IRR", "KPW", "LAK"), (0,)),
    **dict.fromkeys(("LBP", "MGA", "MMK", "SOS", "SYP", "YER"), (0,)),
}
"""The possible digits of books that did not store them, where they may differ from ISO 4217.

These books used Unicode CLDR data as shipped with Babel, whose versions disagree.
"""


@cache
def listed_digits() -> Mapping[str, int]:
    """Return the number of digits of every known currency, by code."""
    tables = (_FORMER, _LISTED)
    return {code: n for table in tables for n, codes in table.items() for code in codes.split()}


def earlier_digits(code: str, written: str) -> int | None:
    """Return the digits of a book that did not store them; None for an unknown currency.

    `written` is an amount from the book's policy, which has as many digits as the book's amounts.
    """
    _, _, fraction = written.partition(".")
    possible = _EARLIER.get(code)
    if possible is None:
        return listed_digits().get(code)
    return len(fraction) if len(fraction) in possible else possible[0]
