"""Amounts of money as they are shown: rounded to the digits that their currency has.

Sums are exact; only what is shown is rounded, each number by itself.
"""

from decimal import ROUND_HALF_UP, Decimal, localcontext

#: The currencies of ISO 4217 by their decimal places ("minor unit"), from its list one as of 2025
#: (https://www.six-group.com/en/products-services/financial-information/data-standards.html).
ISO_4217 = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
        CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK
        HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
        MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
        SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER
        ZAR ZMW ZWG ZWL
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DIGITS = {code: digits for digits, codes in ISO_4217.items() for code in codes.split()}
#: Digits of an average in what is no currency of that list, such as BTC, whose amounts are shown as they are.
OTHERS = 4


def shown(amount: str, currency: str) -> str:
    """An amount rounded to the digits of its currency, half up and without zeros at the end; others as they are."""
    digits = DIGITS.get(currency)
    return amount if digits is None else _rounded(Decimal(amount), digits)


def sum_of(one: str, other: str) -> str:
    """Two amounts added up exactly."""
    with localcontext(prec=len(one) + len(other)):
        return f"{Decimal(one) + Decimal(other):f}"


def average(amount: str, number: int, currency: str) -> str | None:
    """An amount divided by a number, rounded likewise; None of nothing."""
    if not number:
        return None
    with localcontext(prec=len(amount) + 40):
        return _rounded(Decimal(amount) / number, DIGITS.get(currency, OTHERS))


def _rounded(amount: Decimal, digits: int) -> str:
    with localcontext(prec=len(amount.as_tuple().digits) + abs(amount.adjusted()) + 20):
        text = f"{amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
