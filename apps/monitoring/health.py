"""GET /health and GET /ready of both apps."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from actors.queue.producer import QueueUnavailable
from actors.queue.state import QueueState
from apps.monitoring.queue_monitor import QueueMonitor, past_bound
from apps.web.openapi import answer

#: Seconds that a dependency has to answer.
PATIENCE = 1.5

#: Tries what an app depends on; raises where that cannot be used.
Check = Callable[[], Awaitable[None]]


class Health(msgspec.Struct):
    """The process runs and answers."""

    status: Literal["ok"] = "ok"


class Dependency(msgspec.Struct, omit_defaults=True):
    """One thing that an app needs. Degraded: it can be used, but may lose what was accepted."""

    status: Literal["ok", "degraded", "failed"]
    reason: Annotated[str | None, Meta(description="What is wrong with it.")] = None


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


def readiness(watch: QueueMonitor, **checks: Check) -> HTTPRouteHandler:
    """The handler of GET /ready that tries Redis with the queue and its workers, and each of these dependencies."""
    ok: dict[str, Dependency] = dict.fromkeys([*checks, "redis", "queue", "workers"], Dependency("ok"))
    late = ok | {
        "queue": Dependency("failed", "the oldest message has been in the queue for 312 s; it should be below 60 s")
    }

    @get(
        "/ready",
        summary="Able to do its job?",
        tags=["operation"],
        responses={
            200: answer("All that it needs can be used.", Readiness(status="ready", checks=ok)),
            503: answer("Something that it needs cannot be used.", Readiness(status="not ready", checks=late)),
        },
    )
    async def ready() -> Response[Readiness]:
        """Tries everything that this app depends on, and says what cannot be used and why, within two seconds.

        Fails where a server does not answer, the queue is full or its oldest message is too old, or no worker lives. A
        Redis that is set to throw events out or not to keep them is `degraded`, which does not fail it.
        """
        others, queue = await asyncio.gather(_try(checks), _try_queue(watch))
        found = others | queue
        if all(dependency.status != "failed" for dependency in found.values()):
            return Response(Readiness(status="ready", checks=found))
        return Response(Readiness(status="not ready", checks=found), status_code=HTTPStatus.SERVICE_UNAVAILABLE)

    return ready


async def _try(checks: Mapping[str, Check]) -> dict[str, Dependency]:
    outcomes = await asyncio.gather(*map(_outcome, checks.values()))
    return dict(zip(checks, outcomes, strict=True))


async def _outcome(check: Check) -> Dependency:
    task = asyncio.ensure_future(check())
    try:
        done, _ = await asyncio.wait([task], timeout=PATIENCE)
    finally:
        # Its end is not waited for: psycopg asks a server to cancel, also one that does not answer.
        task.cancel()
    if not done:
        return Dependency("failed", f"no answer within {PATIENCE} s")
    error = task.exception()
    return _failed_if(str(error) or type(error).__name__ if error else None)


async def _try_queue(watch: QueueMonitor) -> dict[str, Dependency]:
    try:
        state = await watch.look()
    except QueueUnavailable as error:
        unknown = Dependency("failed", "unknown while Redis does not answer")
        return {"redis": Dependency("failed", str(error)), "queue": unknown, "workers": unknown}
    too_old = watch.settings.ready_max_queue_age_seconds
    return {
        "redis": _redis(state),
        "queue": _failed_if(past_bound(state, watch.settings) or _too_old(state, too_old)),
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
