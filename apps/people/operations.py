"""Exporting and erasing people, as the endpoints and `tjra privacy` do it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

import msgspec

from actors.people import queue_erasure
from actors.queue.producer import QueueUnavailable
from actors.queue.search import find_person, find_site
from apps.people import sample
from apps.reporting_resources import EXPORTS, ReportingResources
from apps.web.problems import Refusal, refuse, unavailable
from db.access import audit
from db.connections.pools import ReadConnection, begin_snapshot
from db.people import export as exports
from db.people.identity import NoSuchSite, make_site, person_of
from db.people.receipts import Erasure, ask, read_receipt

RETRY_EXPORT, RETRY_SITE = 10, 60
TOO_MANY = f"{EXPORTS} exports are running, which is as many as may run at once"

Result = TypeVar("Result")


async def export(resources: ReportingResources, *, site_id: str, user_id: str, by: str) -> AsyncGenerator[bytes]:
    """The lines of an export in parts; an empty one first, as soon as nothing can be wrong any more. Raises Refusal."""
    if user_id == sample.USER_ID:
        yield b""
        yield sample.EXPORT
        return
    if resources.exports.locked():
        raise unavailable(TOO_MANY, retry_after=RETRY_EXPORT)
    async with resources.exports:

        async def note(conn: ReadConnection) -> None:
            async with conn.transaction():
                person = await person_of(conn, site_id, user_id)
                await audit.note(conn, by, "person.export", {"site": site_id, "person": person.hex()})

        await _of_site(resources, site_id, note)
        # First the queue, then what is stored: an event that moves meanwhile is there twice rather than missing.
        visitors = await resources.read(partial(exports.visitors, site_id=site_id, user_id=user_id))
        queued, whole_queue = await _queued(resources, site_id, user_id, visitors)
        async with resources.pool.connection() as conn:
            now = await begin_snapshot(conn)
            yield b""
            kept_lines = exports.export(
                conn, site_id=site_id, user_id=user_id, now=now, queued=queued, whole_queue=whole_queue
            )
            async with aclosing(kept_lines) as parts:
                async for lines in parts:
                    yield lines


async def erase(resources: ReportingResources, *, site_id: str, user_id: str, by: str) -> Erasure:
    """Have a worker erase a person, and wait some seconds for it. Raises Refusal (404) and QueueUnavailable."""
    if user_id == sample.USER_ID:
        return sample.RECEIPT
    receipt = await note(resources, site_id=site_id, user_id=user_id, by=by)
    await queue_erasure(resources.producer, site_id, receipt.erasure_id)
    return await resources.wait_for_worker(
        partial(show, resources, site_id=site_id, erasure_id=receipt.erasure_id), lambda seen: seen.done_at is not None
    )


async def note(resources: ReportingResources, *, site_id: str, user_id: str, by: str) -> Erasure:
    """Note that a person is to be erased: in the receipt and in the audit. Raises Refusal (404)."""

    async def work(conn: ReadConnection) -> Erasure:
        async with conn.transaction():
            receipt = await ask(conn, site_id=site_id, user_id=user_id, by=by)
            await audit.note(conn, by, "person.erase", {"site": site_id, "erasure": receipt.erasure_id})
        return receipt

    return await _of_site(resources, site_id, work)


async def show(resources: ReportingResources, *, site_id: str, erasure_id: UUID) -> Erasure:
    """The receipt of an erasure. Raises Refusal (404)."""
    if erasure_id == sample.RECEIPT.erasure_id:
        return sample.RECEIPT
    receipt = await resources.read(partial(read_receipt, site_id=site_id, erasure_id=erasure_id))
    if receipt is None:
        raise refuse(HTTPStatus.NOT_FOUND, f"site {site_id!r} has no erasure {erasure_id}")
    return receipt


async def kept(resources: ReportingResources, *, site_id: str, user_id: str) -> dict[str, int]:
    """How much is kept of a person, by kind."""
    return await resources.read(partial(exports.kept, site_id=site_id, user_id=user_id))


def no_site(site_id: str) -> Refusal:
    """The Refusal (404) of a site that does not exist."""
    return refuse(HTTPStatus.NOT_FOUND, f"there is no site {site_id!r}")


async def _of_site(
    resources: ReportingResources, site_id: str, work: Callable[[ReadConnection], Awaitable[Result]]
) -> Result:
    """Do something for a site; it is made if only the queue has events of it. Raises Refusal, QueueUnavailable."""
    try:
        return await resources.read(work)
    except NoSuchSite:
        found = await find_site(resources.producer, site_id, max_bytes=resources.max_searched)
    if found is None:
        raise unavailable(
            f"there is no site {site_id!r} yet, and the queue is too long to look for it", retry_after=RETRY_SITE
        )
    if not found:
        raise no_site(site_id)
    await resources.read(partial(make_site, site_id=site_id))
    return await resources.read(work)


async def _queued(
    resources: ReportingResources, site_id: str, user_id: str, visitors: list[str]
) -> tuple[list[msgspec.Raw], bool]:
    ids = {user_id, *visitors}
    find = partial(find_person, resources.producer, site_id=site_id, max_bytes=resources.max_searched)
    try:
        found, named, whole = await find(ids=ids)
        if new := named - ids:  # visitors that become theirs once the queue is stored, unless they are somebody else
            new -= set(
                await resources.read(partial(exports.of_others, site_id=site_id, user_id=user_id, visitors=[*new]))
            )
            found, _, whole = await find(ids=ids | new)
    except QueueUnavailable:
        return [], False
    return found, whole
