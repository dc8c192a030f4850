"""Erasing a person in a life, while events of theirs wait in the queue, and what is true of the site afterwards."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import Connection
from psycopg.errors import DeadlockDetected

from db.events.event import ReceivedEvent
from db.people.erase import erase
from db.people.letters import ERASED
from db.people.receipts import ask, unfinished
from tests.life.counting.asking import Mismatch
from tests.life.counting.people import is_of_user
from tests.life.counting.site import Site
from tests.life.counting.world import World
from tests.life.look import Look
from tests.life.mortal import killed_while
from tests.life.worker import beside, flush
from tests.life.writing.events import account_of
from tests.life.writing.steps import Message

if TYPE_CHECKING:
    from tests.life.writing import steps


def erase_person(
    conn: Connection[Any], url: str, look: Look, world: World, step: "steps.Erase", waiting: list[Message]
) -> None:
    """Erase a person; their events of `waiting` were accepted before, and are stored beside it or after it."""
    site = world.sites[step.site]
    asked = look.loop.run_until_complete(ask(look.reading, site_id=site.name, user_id=step.person, by="a life"))
    if step.fate == "killed":
        killed_while(url, lambda other: erase(other, site.name, asked.erasure_id, now=step.at))
    if step.fate == "beside":
        # Of events of others that name the person, or link visitors to them, which came first is not told.
        for message in waiting:
            message.events = [
                one for one in message.events if one.site_id != site.name or not _is_in_doubt(site, one, step.person)
            ]
        beside(url, lambda other: flush(other, waiting, step.at), lambda: _erase(conn, site, asked.erasure_id, step))
    else:
        _erase(conn, site, asked.erasure_id, step)
    row = conn.execute(
        "select pseudonym from erased_people where site_id = %s and erasure_id = %s", [site.name, asked.erasure_id]
    ).fetchone()
    if row is None:
        raise Mismatch(f"nothing catches what {step.person} sent before")
    visitors = site.erase(step.person, row[0], step.at)
    if step.fate != "beside":
        flush(conn, waiting, step.at)
    world.store(
        (one for message in waiting for one in message.events),
        now=step.at,
        at_once=step.fate != "beside" and len(waiting) == 1,
    )
    _read_letters(conn, site, step.person, visitors)
    left = conn.execute(
        "select (select count(*) from users where site_id = %(site)s and user_id = %(person)s)"
        " + (select count(*) from sessions where site_id = %(site)s and user_id = %(person)s)"
        " + (select count(*) from visitors where site_id = %(site)s and %(person)s in (user_id, visitor_id))"
        " + (select count(*) from events where site_id = %(site)s and %(person)s in (user_id, visitor_id))"
        " + (select count(*) from path_days where site_id = %(site)s and path = %(account)s and not %(later)s)",
        {
            "site": site.name,
            "person": step.person,
            "account": account_of(step.person),
            "later": any(one.path == account_of(step.person) for message in waiting for one in message.events),
        },
    ).fetchone()
    if left != (0,):
        raise Mismatch(f"{step.person} is erased, and still there")


def erase_again(conn: Connection[Any], look: Look, world: World, now: datetime) -> None:
    """Do again what events that waited have left to do: they told of visitors of people who are erased."""
    if any(site.to_erase_again for site in world.sites.values()):
        look.meet()
    for name, erasure_id in unfinished(conn, datetime.now(UTC) + timedelta(hours=1)):
        erase(conn, name, erasure_id, now=now)
    for site in world.sites.values():
        for pseudonym, at in site.to_erase_again.items():
            visitors = site.erase(pseudonym, pseudonym, at)
            _read_letters(conn, site, pseudonym, visitors)
        site.to_erase_again.clear()


def _is_in_doubt(site: Site, event: ReceivedEvent, person: str) -> bool:
    """Whether it matters if the event came before the person was erased."""
    people = site.people
    names = {account_of(one) for one in (person, *people.visitors(person))}
    own = people.person(event) == person
    links = event.visitor_id is not None and people.links.get(event.visitor_id) != person
    return (event.path in names and not own) or event.visitor_id == person or (own and links)


def _erase(conn: Connection[Any], site: Site, erasure_id: Any, step: "steps.Erase") -> None:
    while True:
        with suppress(DeadlockDetected):
            return erase(conn, site.name, erasure_id, now=step.at)


def _read_letters(conn: Connection[Any], site: Site, person: str, visitors: list[str]) -> None:
    """The dead letters as they are now: those of the person hold nothing, the others as many events as before."""
    rows = conn.execute(
        "select payload from dead_letters where site_id = %s and state = 'dead'", [site.name]
    ).fetchall()
    payloads = [bytes(payload) for (payload,) in rows if bytes(payload) != ERASED]
    found = [(payload, msgspec.json.decode(payload, type=ReceivedEvent)) for payload in payloads]

    def own(event: ReceivedEvent) -> bool:
        if is_of_user(event):
            return event.user_id == person
        return event.visitor_id in (person, *visitors)

    kept = sorted(one.event_id for letters in site.letters.values() for one in letters if not own(one))
    if kept != sorted(event.event_id for _, event in found):
        raise Mismatch("an erasure has emptied a dead letter of somebody else, or has left one of the person's")
    site.letters.clear()
    for payload, event in found:
        site.letters[payload].append(event)
