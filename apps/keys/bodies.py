"""The bodies of requests about keys."""

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from litestar import Request

from apps.reporting_resources import resources_of
from apps.web.problems import Refusal, refuse
from apps.web.request_body import read_body
from db.events.errors import FieldError
from db.events.reasons import sentence

Body = TypeVar("Body", bound=msgspec.Struct)

BYTES = 16 * 1024
#: Where msgspec names the field of an error.
FIELD = re.compile(r"(?:required|unknown) field `([^`]*)`| - at `\$\.(\w+)")


async def read_json(request: Request[Any, Any, Any], kind: type[Body], what: str) -> Body:
    """The body of a request as this Struct. Raises Refusal (400) that names the field."""
    timeout = resources_of(request).settings.body_timeout_seconds
    body = await read_body(request.scope, request.receive, limit=BYTES, timeout=timeout)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        found = FIELD.search(str(error))
        raise invalid_field(what, found[found.lastindex or 0] if found else "", sentence(error)) from None
    except ValueError as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"the body should be a JSON object: {error}") from None


def check_end(expires_at: datetime | None, what: str) -> None:
    """Raise Refusal (400) if the end is over already."""
    if expires_at and expires_at <= datetime.now(UTC):
        raise invalid_field(what, "expires_at", "is over already", "a time to come")


def invalid_field(what: str, field: str, reason: str, allowed: str = "") -> Refusal:
    """The Refusal (400) of a body with a field that is not valid."""
    told = FieldError(field=field, reason=reason, allowed=allowed)
    return refuse(HTTPStatus.BAD_REQUEST, f"the {what} is not valid", [told])
