"""Retention in a life. What a site's own has to delete is told from the clock, the settings and the watermarks."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import Connection

from db.expiry import NOTICE, drop_old_events
from db.sites.retention import delete_expired
from tests.life.counting.asking import Mismatch
from tests.life.counting.site import Site
from tests.life.counting.world import Span, World
from tests.life.look import Look
from tests.life.mortal import killed_while

if TYPE_CHECKING:
    from tests.life.writing import steps


class _Row(NamedTuple):
    events_from: datetime | None
    own_events_from: datetime | None
    own_deleted_until: datetime | None
    rolled_up_until: datetime | None


def partitions(conn: Connection[Any]) -> dict[str, Span]:
    """The partitions of events, by name."""
    rows = conn.execute("select name, starts, ends from event_partitions")
    return {name: Span(*bounds) for name, *bounds in rows}


def drop_partitions(conn: Connection[Any], world: World, now: datetime, days: int) -> None:
    """Maintenance drops what is no longer kept of all sites."""
    told, before = world.kept_from, partitions(conn)
    bound = now - timedelta(days=days)
    world.allowed_from = max(world.allowed_from, bound) if world.allowed_from else bound
    dropped = drop_old_events(conn, days=days, now=now)
    spans = [before[name] for name in dropped]
    world.drop(spans)
    (world.kept_from,) = conn.execute("select max(events_from) from kept_events").fetchone() or (None,)
    if any(told is None or span.end > told for span in spans):
        raise Mismatch(f"dropped {dropped}, though events are said to be kept from {told} on")
    if world.kept_from and world.kept_from > world.allowed_from:
        raise Mismatch(f"events are kept from {world.kept_from} on, though they should be from {world.allowed_from}")
    if set(before) - set(dropped) - set(partitions(conn)):
        raise Mismatch("partitions are gone that nobody dropped")
    check_told(conn, world)


def set_retention(conn: Connection[Any], site: Site, days: int | None) -> None:
    """Somebody sets a site's retention, raises, lowers or unsets it."""
    site.retention_days = days
    conn.execute(
        "insert into site_settings (site_id, retention_days) values (%s, %s)"
        " on conflict (site_id) do update set retention_days = excluded.retention_days",
        [site.name, days],
    )


def delete_of_sites(
    conn: Connection[Any], url: str, look: Look, world: World, step: "steps.RetainSites", of_all: int | None
) -> None:
    """Maintenance deletes what sites keep no longer; where it is killed, reports are asked before it comes again."""
    for site in world.sites.values():
        before = _read(conn, site)
        bound, said, deleted = _after(site, before, step.at, of_all)

        def delete(other: Connection[Any], site: Site = site) -> None:
            delete_expired(other, site.name, days=of_all, now=step.at, most=step.most)

        if step.killed:
            killed_while(url, delete)
            _, site.announced_from, site.deleted_until, _ = _read(conn, site)
            if site.deleted_until not in (before.own_deleted_until, deleted):
                _check_between(site, before, deleted)
            look.ask(step.at, step.most, 2)
        delete(conn)
        after = _read(conn, site)
        site.announced_from, site.said_at, site.deleted_until = bound, said, deleted
        if (after.own_events_from, after.own_deleted_until) != (bound, deleted):
            raise Mismatch(f"{site.name} was {before}, and is {after}; it should be {bound}, and {deleted}")
    check_told(conn, world)


def check_told(conn: Connection[Any], world: World) -> None:
    """Every site knows from when on it has events: by its own retention, or by that of all."""
    for site in world.sites.values():
        if (told := _read(conn, site).events_from) != world.kept_from_of(site):
            raise Mismatch(f"{site.name} has events from {told} on, and should from {world.kept_from_of(site)}")


def _after(
    site: Site, row: _Row, now: datetime, of_all: int | None
) -> tuple[datetime | None, datetime | None, datetime | None]:
    """What a pass leaves announced, since when, and until when everything is deleted."""
    expired = None
    if site.retention_days is not None and (of_all is None or site.retention_days < of_all):
        day = (now - timedelta(days=site.retention_days)).astimezone(UTC)
        expired = day.replace(hour=0, minute=0, second=0, microsecond=0)
    announced, said, deleted = site.announced_from, site.said_at, site.deleted_until
    if announced and said and expired and said <= now - NOTICE:
        due = min(announced, expired)
        if row.rolled_up_until and row.rolled_up_until >= due and (deleted is None or due > deleted):
            deleted = due
    bound = max(filter(None, (expired, deleted)), default=None)
    if bound and (announced is None or bound > announced):
        said = now
    return bound, said, deleted


def _check_between(site: Site, before: _Row, until: datetime | None) -> None:
    deleted, first = site.deleted_until, before.own_deleted_until
    if deleted is None or until is None or deleted > until or (first and deleted < first):
        raise Mismatch(f"{site.name} is deleted until {deleted}: it was until {first}, and should be until {until}")


def _read(conn: Connection[Any], site: Site) -> _Row:
    row = conn.execute(
        "select events_from, own_events_from, own_deleted_until,"
        " nullif(least(sessions_until, user_months_until), '-infinity') from sites where site_id = %s",
        [site.name],
    ).fetchone()
    return _Row(*(moment and moment.astimezone(UTC) for moment in row or ()))
