"""Read an order or a refund as GET /revenue will, with the rules of the SQL function read_sale."""

import re
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from apps.events.given import first_given, is_given
from db.reports.revenue import ORDERS, REFUNDS

NUMBER = re.compile(r" *[+-]?[0-9]{1,15}(\.[0-9]{1,30})? *", re.ASCII)
CURRENCY = re.compile(r" *([A-Za-z]{3}) *", re.ASCII)
LARGEST = 10**15


class Sale(NamedTuple):
    """An order or a refund as GET /revenue reads it."""

    order_id: str | None
    amount: Decimal | None
    currency: str | None
    fault: str | None
    amount_given: Any


def is_sale(event_type: str) -> bool:
    """Whether an event of this type is an order or a refund."""
    return event_type in ORDERS or event_type in REFUNDS


def read_sale(properties: dict[str, Any], *, is_refund: bool) -> Sale:
    """The sale in the properties of an order or a refund."""
    given = first_given(*(properties.get(name) for name in ("revenue", "total", "value")))
    amount = exact_number(given)
    currency_given = properties.get("currency")
    match = CURRENCY.fullmatch(currency_given) if isinstance(currency_given, str) else None
    fault: str | None
    if properties.get("public_key") is True:
        fault = "public_key"
    elif given is None:
        fault = "revenue_missing"
    elif amount is None:
        fault = "revenue_invalid"
    elif amount < 0 and not is_refund:
        fault = "revenue_negative"
    elif not is_given(currency_given):
        fault = "currency_missing"
    else:
        fault = None if match else "currency_invalid"
    order_id = first_given(properties.get("order_id"), properties.get("transaction_id"))
    return Sale(
        order_id if isinstance(order_id, str | None) else msgspec.json.encode(order_id).decode(),
        abs(amount) if is_refund and amount is not None else amount,
        match[1].upper() if match else None,
        fault,
        given,
    )


def exact_number(value: Any) -> Decimal | None:
    """A JSON number, or text in its format; None for anything else."""
    if isinstance(value, str):
        return Decimal(value.strip(" ")) if NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Decimal(repr(value)) if abs(value) < LARGEST else None
