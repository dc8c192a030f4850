"""The bodies of requests about keys."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request
from msgspec import Meta

from apps.reporting_resources import resources_of
from apps.web.problems import Refusal, refuse
from apps.web.request_body import read_body
from db.access.keys import NewKey
from db.access.shares import NewShare
from db.events.errors import FieldError, struct_error

Body = TypeVar("Body", bound=msgspec.Struct)

BYTES = 16 * 1024


async def read_json(request: Request[Any, Any, Any], kind: type[Body], what: str) -> Body:
    """The body of a request as this Struct. Raises Refusal (400) that names the field."""
    timeout = resources_of(request).settings.body_timeout_seconds
    body = await read_body(request.scope, request.receive, limit=BYTES, timeout=timeout)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"the {what} is not valid", [struct_error(error, kind)]) from None
    except ValueError as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"the body should be a JSON object: {error}") from None


#: Days after which something ends, in place of the time.
Days = Annotated[
    Annotated[int, Meta(ge=1, le=3650)] | None,
    Meta(description="In how many days it ends, 1 to 3,650, in place of `expires_at`."),
]


class AskedKey(NewKey, kw_only=True, forbid_unknown_fields=True):
    """The body of POST /keys."""

    expires_in_days: Days = None


class AskedShare(NewShare, kw_only=True, forbid_unknown_fields=True):
    """The body of POST /keys/share."""

    expires_in_days: Days = None


def settle_end(asked: AskedKey | AskedShare, what: str) -> None:
    """Set the end from the days. Raises Refusal (400) if it is given twice, or is over already."""
    now = datetime.now(UTC)
    if asked.expires_in_days:
        if asked.expires_at:
            raise invalid_field(what, "expires_in_days", "is given beside expires_at", "one of the two")
        asked.expires_at = now + timedelta(days=asked.expires_in_days)
    if asked.expires_at and asked.expires_at <= now:
        raise invalid_field(what, "expires_at", "is over already", "a time to come: ISO 8601 with an offset")


def invalid_field(what: str, field: str, reason: str, allowed: str = "") -> Refusal:
    """The Refusal (400) of a body with a field that is not valid."""
    told = FieldError(field=field, reason=reason, allowed=allowed)
    return refuse(HTTPStatus.BAD_REQUEST, f"the {what} is not valid", [told])
