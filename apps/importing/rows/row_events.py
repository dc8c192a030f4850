"""Convert rows of a table (CSV or NDJSON) to events: `RowEvents(mapping, site).event(row)`."""

from typing import Any

import msgspec

from apps.events.given import is_given
from apps.events.url_path import path_of_url
from apps.importing.files.records import Fields, Refused
from apps.importing.rows.decimals import AmountColumns, as_number
from apps.importing.rows.known import known_of
from apps.importing.rows.mapping import AMOUNT_PROPERTIES, FIELDS, Mapping
from apps.importing.rows.timestamps import Times
from db.events.limits import properties_fault
from db.events.numbers import decoder
from db.events.spellings import is_nobody

#: Numeric properties, to which `--decimal` applies.
AMOUNTS = ("revenue", "total", "value", "price", "quantity", "amount", "tax", "shipping", "discount")

_decode = decoder().decode


class RowEvents:
    """Makes events of one site according to the mapping."""

    def __init__(
        self,
        mapping: Mapping,
        site: str,
        automatic: dict[str, str] | None = None,
        known: dict[str, str] | None = None,
    ) -> None:
        self.site = site
        self.constants = mapping.constants
        self.columns = {name: column for name in FIELDS if (column := mapping.column(name)) is not None}
        given = {name: column for name, column in mapping.properties.items() if column}
        #: Those that no option names, which give way to what a column of properties holds.
        self.automatic = automatic or {}
        self.properties = self.automatic | given
        #: The columns of what a row knows of the visit.
        self.known = known or {}
        self.visitor_columns = mapping.visitor_columns()
        self.constant_properties = mapping.constant_properties
        self.decimal = mapping.decimal
        self.amounts = AmountColumns(mapping.decimal)
        self.types = mapping.types
        self.times = Times(mapping.zone, mapping.unit, mapping.time_format)

    def event(self, row: dict[str, Any]) -> Fields:
        """The event of a row, without an id if the row has none. Raises Refused."""
        event_type = self._required(row, "event_type")
        place = self._required(row, "path")
        path = path_of_url(place)
        properties = self._properties(row, url=None if path is None else place)
        event: Fields = {
            "site_id": self.site,
            "event_type": self.types.get(event_type, event_type),
            "path": place if path is None else path,
            "timestamp": self.times.read(self._value(row, "timestamp")),
        }
        if (user_id := self._text(row, "user_id")) and not is_nobody(user_id):
            event["user_id"] = user_id
        if (visitor_id := self._visitor(row)) and not is_nobody(visitor_id):
            event["visitor_id"] = visitor_id
        if event_id := self._text(row, "event_id"):
            event["event_id"] = event_id
        if properties:
            event["properties"] = properties
        return event | known_of(row, self.known)

    def _required(self, row: dict[str, Any], name: str) -> str:
        if text := self._text(row, name):
            return text
        raise Refused(f"{name} is empty")

    def _text(self, row: dict[str, Any], name: str) -> str:
        """A field's text, or "". A JSON number counts as its text."""
        if name in self.constants:
            return self.constants[name]
        text = _as_text(self._value(row, name))
        if text is None:
            raise Refused(f"{name} is neither text nor a number")
        return text

    def _visitor(self, row: dict[str, Any]) -> str:
        """The text of visitor_id, otherwise that of the first usual column that has an id."""
        usual = (_as_text(row.get(column)) for column in self.visitor_columns)
        return self._text(row, "visitor_id") or next((text for text in usual if text and not is_nobody(text)), "")

    def _properties(self, row: dict[str, Any], *, url: str | None) -> dict[str, Any]:
        properties = _object(self._value(row, "properties"))
        in_object = set(properties)
        if in_object & {*AMOUNT_PROPERTIES}:
            in_object |= {*AMOUNT_PROPERTIES}
        for name, column in self.properties.items():
            if name in self.automatic and name in in_object:
                continue
            if is_given(cell := row.get(column)):
                properties[name] = cell
        for name in AMOUNTS:
            if isinstance(text := properties.get(name), str):
                self.amounts.add(self.properties.get(name) or f"{self.columns.get('properties')}.{name}", text)
                if self.decimal:
                    properties[name] = as_number(text, self.decimal)
        properties |= self.constant_properties
        if url is not None and not properties_fault(with_url := {"url": url} | properties):
            return with_url
        # The API checks this too, but properties nested too deeply would make the whole batch unreadable there.
        if fault := properties_fault(properties):
            raise Refused(f"properties {fault}")
        return properties

    def _value(self, row: dict[str, Any], name: str) -> Any:
        column = self.columns.get(name)
        return None if column is None else row.get(column)


def _as_text(value: Any) -> str | None:
    """The text of a value, "" if it is not given, None if it is neither text nor a number."""
    if not is_given(value):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return msgspec.json.encode(value).decode()


def _object(value: Any) -> dict[str, Any]:
    """A JSON object, given as an object or as text; an empty one if not given."""
    if not is_given(value):
        return {}
    try:
        value = _decode(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused("properties is not a JSON object")
    return dict(value)
