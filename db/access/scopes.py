"""What a key may be allowed to do."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class Scope(StrEnum):
    """A permission of a key."""

    EVENTS_WRITE = "events:write"
    REPORTS_READ = "reports:read"
    EVENTS_READ = "events:read"
    PRIVACY_WRITE = "privacy:write"
    OPERATIONS = "operations"
    ADMIN = "admin"


#: What each scope allows, for people.
ALLOWS = {
    Scope.EVENTS_WRITE: "send events as the shop's own server: a secret write key",
    Scope.REPORTS_READ: "read reports, which have no ids of people",
    Scope.EVENTS_READ: "read events and users, and export them: personal data",
    Scope.PRIVACY_WRITE: "export and erase a person",
    Scope.OPERATIONS: "dead letters, accounting, receipts, imports, metrics",
    Scope.ADMIN: "everything, also keys and sites",
}


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends a request, and what they may do."""

    name: str
    scopes: frozenset[str]
    sites: frozenset[str] | None = None
    """None: all sites."""
    key_id: UUID | None = None
    """None: not a stored key."""
    share: bool = False
    """Whether it is a share link, which sees no ids of people."""
    ends_at: datetime | None = None
    """When their key or login is over; None: it has no end."""

    def may(self, scope: str) -> bool:
        """Whether a scope is among theirs; admins have all."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sees(self, site: str) -> bool:
        """Whether a site is one of theirs."""
        return self.sites is None or site in self.sites

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id})" if self.key_id else self.name


#: Everybody, if AUTH is off.
ANYBODY = Identity(name="anybody (AUTH=off)", scopes=frozenset({Scope.ADMIN}))
#: Why an app with AUTH=off is degraded.
AUTH_IS_OFF = "AUTH=off: anybody may read and change everything"
