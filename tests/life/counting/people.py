"""Who is whom on a site: whose events a visitor's are, told from the events that were stored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from db.events.event import ReceivedEvent
from tests.life.writing.events import account_of


class Unsure(NamedTuple):
    """What the order decides that only the database knows: whom a visitor may have been identified as."""

    users: set[str]
    or_nobody: bool


class People:
    """The users that visitors were first identified as."""

    def __init__(self) -> None:
        self.links: dict[str, str] = {}
        self.unsure: dict[str, Unsure] = {}

    def person(self, event: ReceivedEvent) -> str | None:
        """Whom an event counts for: the user; else the user of the visitor; else the visitor."""
        if event.user_id and event.user_id != event.visitor_id:
            return event.user_id
        return self.links.get(event.visitor_id, event.visitor_id) if event.visitor_id else None

    def visitors(self, person: str) -> list[str]:
        """The visitors that were identified as a user."""
        return [visitor for visitor, user in self.links.items() if user == person]

    def identify(self, new: Sequence[ReceivedEvent], kept: Iterable[ReceivedEvent], *, at_once: bool) -> None:
        """New events were stored, beside others that are kept; `at_once`: in one transaction, of which all is known.

        Nobody who is a user, by an event that is kept or by a visitor, becomes somebody else.
        """
        named = defaultdict(list)
        for one in new:
            if one.visitor_id and is_of_user(one) and one.visitor_id not in self.links:
                named[one.visitor_id].append((one.timestamp, one.user_id or ""))
        fresh = {id(one) for one in new}
        users = set(self.links.values()) | {one.user_id for one in kept if is_of_user(one) and id(one) not in fresh}
        becoming = {one.user_id for one in new if is_of_user(one)}
        for visitor, found in named.items():
            if visitor in users:
                continue
            if at_once and visitor not in becoming:
                self.links[visitor] = min(found)[1]
            elif not at_once:
                self.unsure[visitor] = Unsure({user for _, user in found}, visitor in becoming)

    def forget(self, kept: Iterable[ReceivedEvent]) -> set[str]:
        """The visitors whose links end, as no event of theirs is kept that counts for the user."""
        there = {(one.visitor_id, self.person(one)) for one in kept}
        return {visitor for visitor, user in self.links.items() if (visitor, user) not in there}

    def settle(self, told: Mapping[str, str]) -> str | None:
        """The links that the database tells of; what is wrong with them, if anything."""
        for visitor, unsure in self.unsure.items():
            if told.get(visitor) in unsure.users:
                self.links[visitor] = told[visitor]
            elif visitor in told or not unsure.or_nobody:
                return f"{visitor} was identified as {told.get(visitor)}, and should as one of {unsure}"
        self.unsure.clear()
        return None if told == self.links else f"visitors: there are {told}, and should be {self.links}"


def is_of_user(event: ReceivedEvent) -> bool:
    """Whether it says whose it is, and not only by the visitor's own id."""
    return event.user_id is not None and event.user_id != event.visitor_id


def of_visitor(event: ReceivedEvent, visitor: str) -> ReceivedEvent:
    """An event of which nobody can tell any more that the visitor's id was a user's."""
    return msgspec.structs.replace(event, user_id=None, visitor_id=visitor)


def without(event: ReceivedEvent, ids: set[str], *, person: str | None, pseudonym: str | None) -> ReceivedEvent:
    """An event without the ids of one who is erased: of somebody else, or (`pseudonym`) of theirs, which loses more."""
    path = "/account/erased" if event.path in map(account_of, ids) else event.path
    if pseudonym:
        event = msgspec.structs.replace(event, user_id=pseudonym, properties=_impersonal(event.properties))
    elif event.visitor_id not in ids:
        return msgspec.structs.replace(event, path=path)
    else:
        event = msgspec.structs.replace(event, user_id=person)
    return msgspec.structs.replace(event, path=path, visitor_id=None)


def _impersonal(properties: Any) -> Any:
    if not isinstance(properties, dict):
        return properties
    return {name: _impersonal(value) for name, value in properties.items() if name not in ("email", "phone")}
