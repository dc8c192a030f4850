"""Salvage imperfect events: keep the parts that can be stored, and name the parts that were ignored."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from db.events.event import Event
from db.events.fitting import fit_properties, storable
from db.events.limits import text_fault
from db.events.tolerant_json import UNKEPT, UNREADABLE, mended, take_apart

#: Limits of a list of ignored names: names per event, and characters per name.
MAX_NAMES, MAX_NAME = 20, 100

FIELDS = {field.name for field in msgspec.structs.fields(Event)}
OPTIONAL = ("user_id", "visitor_id", "properties")

decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class Mended(NamedTuple):
    """The storable fields of an event, not validated yet, and the names of the ignored ones."""

    fields: dict[str, Any]
    ignored: list[str]


def unknown_fields(raw: bytes | msgspec.Raw) -> list[str]:
    """The members of a JSON object that are not fields of an event. Raises ValueError and RecursionError."""
    return _shortened(name for name in decode_members(raw) if name not in FIELDS)


def mend(raw: bytes | msgspec.Raw) -> Mended:
    """Make an event storable: replace half surrogate pairs, drop a user_id or a visitor_id that is too long, fit
    properties to their limits. Raises ValueError and RecursionError if it is not a JSON object.
    """
    given = _members(raw)
    fields = {name: value for name, value in given.items() if name in FIELDS}
    ignored = [name for name in given if name not in FIELDS]
    for name in OPTIONAL:
        if fields.get(name) == UNKEPT:
            del fields[name]
            ignored.append(name)
    for name in ("user_id", "visitor_id"):
        if isinstance(given_id := fields.get(name), str):
            fields[name] = storable(given_id)
            if text_fault(name, fields[name]):
                del fields[name]
                ignored.append(name)
    if isinstance(properties := fields.get("properties"), dict):
        fields["properties"], changed = fit_properties(properties)
        ignored += [f"properties.{name}" for name in changed]
    return Mended(fields, _shortened(ignored))


def _members(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    try:
        return decode_object(raw)
    except UNREADABLE:
        pass
    try:
        return decode_object(mended(raw))
    except UNREADABLE:  # only the fields of an event have to be readable
        parts = take_apart(raw, dict[str, msgspec.Raw])
        return {name: msgspec.json.decode(mended(part)) if name in FIELDS else None for name, part in parts.items()}


def _shortened(names: Iterable[str]) -> list[str]:
    return [name[:MAX_NAME] for name in islice(names, MAX_NAMES)]
