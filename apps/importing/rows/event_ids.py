"""The ids of imported events: made from the row itself, so that a second import adds nothing."""

from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("6f1d7f5c-9c39-5d0c-8d6a-0f3f1c4bb0c5")
#: How many different rows each of the two generations remembers. Both take some 90 MB together when they are full.
GENERATION = 500_000


class EventIds:
    """Gives the rows of one file their ids: UUIDv5 over the site, the row's content and how often it came before.

    So two rows that are the same stay two events, and a log that has grown adds only its new lines. A row is forgotten
    when 500,000 to a million other rows have come since it was last seen; should it come again after that, it is taken
    for the same event.
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
        """How often this row came before."""
        count = self.young.get(key)
        if count is None:
            count = self.old.get(key, 0)
        self.young[key] = count + 1
        if len(self.young) >= self.generation:
            self.old, self.young = self.young, {}
        return count
