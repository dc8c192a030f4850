"""Ids of imported events, made from the row itself, so that a second import adds no events."""

from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("6f1d7f5c-9c39-5d0c-8d6a-0f3f1c4bb0c5")
#: Different rows that each of the two generations holds. Full, both take some 90 MB of memory together.
GENERATION = 500_000


class EventIds:
    """Makes the ids of the rows of one file: UUIDv5 over the site, the row's content and its number of occurrences.

    So two equal rows stay two events, and a log that has grown adds only its new lines. A row is evicted after 500,000
    to a million other rows; if it occurs again after that, it counts as the same event.
    """

    def __init__(self, site: str, *, generation: int = GENERATION) -> None:
        self.prefix = NAMESPACE.bytes + site.encode() + b"\0"
        self.generation = generation
        self.young: dict[int, int] = {}
        self.old: dict[int, int] = {}

    def next(self, content: bytes) -> UUID:
        """The id of the next row of the file."""
        name = sha1(self.prefix + content, usedforsecurity=False)
        name.update(b"\0%d" % self._earlier(int.from_bytes(name.digest()[:8])))
        # uuid.uuid5 takes only text until Python 3.12.
        return UUID(bytes=name.digest()[:16], version=5)

    def _earlier(self, key: int) -> int:
        """The number of earlier occurrences of this row."""
        count = self.young.get(key)
        if count is None:
            count = self.old.get(key, 0)
        self.young[key] = count + 1
        if len(self.young) >= self.generation:
            self.old, self.young = self.young, {}
        return count
