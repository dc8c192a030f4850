"""GET /health and GET /ready of both apps."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from actors.queue.producer import QueueUnavailable
from actors.queue.state import QueueState
from apps.access.guard import Access
from apps.access.needs import PUBLIC, needs
from apps.monitoring.queue_monitor import QueueMonitor, over_limit
from apps.web.openapi import answer
from db.access.scopes import Scope

#: Seconds until the check of a dependency fails.
CHECK_TIMEOUT = 1.5

#: Seconds until it is given up to find out who asks: longer than a connection to PostgreSQL is waited for, after which
#: what was known of a key before holds.
IDENTITY_TIMEOUT = 2.5

#: Checks a dependency of an app; raises if it cannot be used, and Degraded if it can.
Check = Callable[[], Awaitable[None]]


class Degraded(Exception):
    """A dependency works, but not as it should."""


class Health(msgspec.Struct):
    """The process runs and answers."""

    status: Literal["ok"] = "ok"


class Dependency(msgspec.Struct, omit_defaults=True):
    """One dependency of an app. Degraded: it works, but may lose accepted events, or is open to anybody."""

    status: Literal["ok", "degraded", "failed"]
    reason: Annotated[
        str | None,
        Meta(description="Why it is degraded or failed; only for those with the scope `operations`."),
    ] = None


class Readiness(msgspec.Struct):
    """Whether an app can serve requests."""

    status: Literal["ready", "not ready"]
    checks: Annotated[dict[str, Dependency], Meta(examples=[{"redis": {"status": "ok"}}])]


@get(
    "/health",
    opt=needs(PUBLIC),
    summary="Liveness",
    tags=["operation"],
    sync_to_thread=False,
    responses={200: answer("The process is alive.", Health())},
)
def health() -> Health:
    """Shows that the process runs and answers. Does not check its dependencies."""
    return Health()


def readiness(monitor: QueueMonitor, **checks: Check) -> HTTPRouteHandler:
    """The handler of GET /ready: it checks Redis, the queue, the workers, and each of these dependencies."""
    ok: dict[str, Dependency] = dict.fromkeys([*checks, "redis", "queue", "workers"], Dependency("ok"))
    late = ok | {
        "queue": Dependency("failed", "the oldest message has been in the queue for 312 s; it should be below 60 s")
    }

    @get(
        "/ready",
        opt=needs(PUBLIC),
        summary="Readiness",
        tags=["operation"],
        responses={
            200: answer("All dependencies can be used.", Readiness(status="ready", checks=ok)),
            503: answer("A dependency cannot be used.", Readiness(status="not ready", checks=late)),
        },
    )
    async def ready(request: Request[Any, Any, Any]) -> Response[Readiness]:
        """Checks all dependencies of this app within three seconds, and names those that cannot be used. It needs no
        key; the reasons are for those with the scope `operations`.

        Fails if a server does not answer, the queue is full, its oldest message is too old, or no worker is alive. A
        Redis whose settings allow it to evict or lose events is `degraded`; that is not a failure. With AUTH=off
        `access` is `degraded`.
        """
        others, queue, tell = await asyncio.gather(_check_all(checks), _check_queue(monitor), _may_see_reasons(request))
        results = others | queue
        if not tell:
            results = {name: Dependency(one.status) for name, one in results.items()}
        if all(dependency.status != "failed" for dependency in results.values()):
            return Response(Readiness(status="ready", checks=results))
        return Response(Readiness(status="not ready", checks=results), status_code=HTTPStatus.SERVICE_UNAVAILABLE)

    return ready


async def _may_see_reasons(request: Request[Any, Any, Any]) -> bool:
    """Whether whoever sends a request has the scope `operations`; not if that cannot be told in time."""
    access: Access = request.app.state.access
    try:
        async with asyncio.timeout(IDENTITY_TIMEOUT):
            identity = await access.identity(request.scope)
    except Exception:  # a key that is not valid, or nobody can say: whatever it is, /ready says the words
        return False
    return identity is not None and identity.may(Scope.OPERATIONS) and identity.sites is None


async def _check_all(checks: Mapping[str, Check]) -> dict[str, Dependency]:
    outcomes = await asyncio.gather(*map(_outcome, checks.values()))
    return dict(zip(checks, outcomes, strict=True))


async def _outcome(check: Check) -> Dependency:
    task = asyncio.ensure_future(check())
    try:
        done, _ = await asyncio.wait([task], timeout=CHECK_TIMEOUT)
    finally:
        # Do not wait for its end: psycopg sends a cancel request even to a server that does not answer.
        task.cancel()
    if not done:
        return Dependency("failed", f"no answer within {CHECK_TIMEOUT} s")
    error = task.exception()
    if isinstance(error, Degraded):
        return Dependency("degraded", str(error))
    return _failed_if(str(error) or type(error).__name__ if error else None)


async def _check_queue(monitor: QueueMonitor) -> dict[str, Dependency]:
    try:
        state = await monitor.look()
    except QueueUnavailable as error:
        unknown = Dependency("failed", "unknown while Redis does not answer")
        return {"redis": Dependency("failed", str(error)), "queue": unknown, "workers": unknown}
    too_old = monitor.settings.ready_max_queue_age_seconds
    return {
        "redis": _redis(state),
        "queue": _failed_if(over_limit(state, monitor.settings) or _too_old(state, too_old)),
        "workers": _failed_if(None if state.workers else "no worker has given a sign of life lately"),
    }


def _redis(state: QueueState) -> Dependency:
    if state.append_failed:
        return Dependency("failed", "its last write to the append-only file failed, so it takes no more")
    weaknesses = state.weaknesses()
    return Dependency("degraded", "; ".join(weaknesses)) if weaknesses else Dependency("ok")


def _too_old(state: QueueState, seconds: int) -> str | None:
    if state.oldest_seconds < seconds:
        return None
    return f"the oldest message has been in the queue for {state.oldest_seconds:,.0f} s; it should be below {seconds} s"


def _failed_if(reason: str | None) -> Dependency:
    return Dependency("failed", reason) if reason else Dependency("ok")
