"""GET /audit, for admins."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from msgspec import Meta

from apps.access.needs import needs
from apps.reporting_resources import resources_of
from apps.web.openapi import answer, operation
from apps.web.problems import problem_response, refuse
from apps.web.query_params import read_query
from db.access import audit
from db.access.audit import Entry
from db.access.scopes import Scope
from db.connections.pools import ReadConnection
from db.events.errors import FieldError

#: As PostgreSQL's bigint.
LARGEST_ID = 2**63 - 1
BAD_LIMIT = FieldError(field="limit", reason="should be at least 1", allowed="How many at most: 1 to 1,000; ...")


class AuditQuery(msgspec.Struct, kw_only=True):
    """The parameters of GET /audit."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most: 1 to 1,000; left out: 100.")] = 100
    before: Annotated[
        Annotated[int, Meta(ge=1, le=LARGEST_ID)] | None,
        Meta(description="Only entries before the one with this `id`."),
    ] = None


class Audit(msgspec.Struct, kw_only=True):
    """A page of the audit."""

    entries: list[Entry]


@get(
    "/audit",
    summary="Who did what",
    tags=["access"],
    opt=needs(Scope.ADMIN),
    operation_class=operation(query=AuditQuery),
    responses={
        400: problem_response(
            "A parameter is not valid.", refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_LIMIT])
        ),
        200: answer(
            "A page of it.",
            Audit(
                entries=[
                    Entry(
                        id=1,
                        at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
                        actor="first key",
                        action="key.create",
                        details={"name": "Grafana"},
                    )
                ]
            ),
        ),
    },
)
async def get_audit(request: Request[Any, Any, Any]) -> Audit:
    """Who created and revoked keys, logged in, exported or erased people, changed sites, replayed or discarded: the
    newest first. It has no addresses."""
    query = read_query(request, AuditQuery)

    async def read(conn: ReadConnection) -> list[Entry]:
        return await audit.entries(conn, before=query.before, limit=query.limit)

    return Audit(entries=await resources_of(request).read(read))
