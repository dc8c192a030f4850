"""GET /health and GET /ready of both apps."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from apps.openapi import answer

#: Tries what an app depends on; raises where that cannot be used.
Check = Callable[[], Awaitable[None]]


class Health(msgspec.Struct):
    """The process runs and answers."""

    status: Literal["ok"] = "ok"


class Dependency(msgspec.Struct, omit_defaults=True):
    """One thing that an app needs."""

    status: Literal["ok", "failed"]
    reason: Annotated[str | None, Meta(description="Why it cannot be used.")] = None


class Readiness(msgspec.Struct):
    """Whether an app can do its job."""

    status: Literal["ready", "not ready"]
    checks: Annotated[dict[str, Dependency], Meta(examples=[{"redis": {"status": "ok"}}])]


@get(
    "/health",
    summary="Alive?",
    tags=["operation"],
    sync_to_thread=False,
    responses={200: answer("It answers.", Health())},
)
def health() -> Health:
    """The process runs and answers; says nothing of what it depends on."""
    return Health()


def readiness(**checks: Check) -> HTTPRouteHandler:
    """The handler of GET /ready that tries each of these dependencies."""

    def _example(status: Literal["ready", "not ready"], dependency: Dependency) -> Readiness:
        return Readiness(status=status, checks=dict.fromkeys(checks, dependency))

    @get(
        "/ready",
        summary="Able to do its job?",
        tags=["operation"],
        responses={
            200: answer("All that it needs can be used.", _example("ready", Dependency("ok"))),
            503: answer(
                "Something that it needs cannot be used.",
                _example("not ready", Dependency("failed", "connection refused")),
            ),
        },
    )
    async def ready() -> Response[Readiness]:
        """Tries everything that this app depends on, and says what cannot be used and why."""
        outcomes = {name: await _outcome(check) for name, check in checks.items()}
        if all(outcome.status == "ok" for outcome in outcomes.values()):
            return Response(Readiness(status="ready", checks=outcomes))
        return Response(Readiness(status="not ready", checks=outcomes), status_code=HTTPStatus.SERVICE_UNAVAILABLE)

    return ready


async def _outcome(check: Check) -> Dependency:
    try:
        await check()
    except Exception as error:
        return Dependency("failed", str(error) or type(error).__name__)
    return Dependency("ok")
