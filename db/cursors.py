"""Cursors: the place where a list goes on, as a text that a client gives back as it is."""

import base64
import binascii
from typing import Any

import msgspec

from db.events.errors import BadParameter


def encode_cursor(place: Any) -> str:
    """The cursor of a place: the values that a list is sorted by, of the last row before it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def decode_cursor(cursor: str, kind: Any) -> Any:
    """The place of a cursor, of this type. Raises BadParameter."""
    try:
        return msgspec.json.decode(base64.b64decode(cursor, altchars="-_", validate=True), type=kind)
    except (binascii.Error, ValueError):  # also of msgspec
        raise BadParameter("cursor", "is no cursor of this list") from None
