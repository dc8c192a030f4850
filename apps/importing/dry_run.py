"""`--dry-run`: validate events as the ingestion API does, without sending them."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from apps.events.responses import BatchProblem, Rejected
from apps.events.validation import EventValidator
from apps.web.problems import Refusal

#: Number of events that are shown.
SHOWN = 3


class DryRun:
    """Replaces the sender: validates batches as the API does, and keeps the first valid events."""

    def __init__(self, validator: EventValidator) -> None:
        self.validator = validator
        self.shown: list[bytes] = []

    def deliver(self, events: Sequence[bytes]) -> Sequence[Rejected]:
        """The events of a batch that the API would refuse."""
        rejected = self._rejected(b"[%b]" % b",".join(events))
        bad = {one.index for one in rejected}
        good = (event for index, event in enumerate(events) if index not in bad)
        self.shown += islice(map(msgspec.json.format, good), SHOWN - len(self.shown))
        return rejected

    def _rejected(self, body: bytes) -> Sequence[Rejected]:
        try:
            return self.validator.batch(body, ndjson=False).rejected
        except Refusal as refusal:
            if isinstance(refusal.problem, BatchProblem):
                return refusal.problem.rejected
            raise
