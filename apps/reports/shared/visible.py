"""What of people reports may show, and to whom.

Ids of users are for those who may read events. A share link shows none, and of properties only those that cannot hold
people: SHARED.
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request

from apps.access.credentials import insufficient
from apps.access.guard import identity_of
from apps.web.problems import refuse
from apps.web.query_params import Query, read_query
from db.access.scopes import Scope
from db.reports.funnel import read_step
from db.reports.shared.filters import PROPERTY, Filters

#: The properties that share links may show and filter by.
SHARED = re.compile(r"utm_(source|medium|campaign|term|content|id)|referrer|currency|language|screen|bot")
SHARED_TEXT = "utm_source, utm_medium, utm_campaign, utm_term, utm_content, utm_id, referrer, currency, language, \
screen and bot"


def read_report_query(request: Request[Any, Any, Any], query: type[Query]) -> Query:
    """The parameters of a report, as `read_query`; who asks may see what they are about. Raises Refusal (400, 403)."""
    read = read_query(request, query)
    identity = identity_of(request)
    users, properties = _of_people(read)
    if users and not identity.may(Scope.EVENTS_READ):
        raise insufficient(
            "ids of users and visitors are for keys with the scope events:read: this one may not ask for them",
            Scope.EVENTS_READ,
        )
    if identity.share and (hidden := sorted(name for name in properties if not SHARED.fullmatch(name))):
        raise refuse(
            HTTPStatus.FORBIDDEN,
            f"a share link shows no properties that may be about people, as {hidden[0]!r} may; it shows {SHARED_TEXT}",
        )
    return read


def _of_people(query: msgspec.Struct) -> tuple[bool, set[str]]:
    """Whether a query is about ids of users, and the properties that it is about. Raises BadParameter."""
    dimension = getattr(query, "dimension", "")
    users = dimension == "user_id"
    properties = {named.group(1)} if (named := PROPERTY.fullmatch(dimension)) else set()
    for filters in _filters(query):
        users = users or not filters.needs.isdisjoint(("user_id", "visitor_id"))
        properties |= filters.properties
    return users, properties


def _filters(query: Any) -> Iterator[Filters]:
    if hasattr(query, "filters"):
        yield query.filters()
    for step in getattr(query, "step", ()):
        yield read_step(step)
