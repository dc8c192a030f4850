"""Count the outcome of the rows, and print a summary at the end."""

import re
import time
from collections.abc import Iterator

from apps.importing.rows.judgement import Judgement

#: A row's value in a reason: "path is 3000 bytes long", "timestamp is 1999-12-31T00:00:00+00:00: before ...".
VALUE = re.compile(r"\b(is|are|have) [\d.:T+-]*\d")


class Reasons:
    """The number of rows by reason (without the rows' values), and where each reason occurred first."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, str] = {}
        self.values: dict[str, str] = {}

    def add(self, reason: str, file: str, line: int, value: str | None = None) -> None:
        reason = VALUE.sub(r"\1 ...", reason)
        if reason not in self.counts:
            self.counts[reason] = 0
            self.examples[reason] = f"{file} line {line:,}"
            if value is not None:
                self.values[reason] = f"{value[:40]!r}: "
        self.counts[reason] += 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def lines(self) -> Iterator[str]:
        """One line per reason, the most frequent first."""
        for reason, count in sorted(self.counts.items(), key=lambda item: -item[1]):
            yield f"  {count:>13,}  {self.values.get(reason, '')}{reason} ({self.examples[reason]})"


class Summary:
    """The counts of the rows so far."""

    def __init__(self) -> None:
        self.read = 0
        self.sent = 0
        self.skipped = Reasons()
        self.refused = Reasons()
        self.judgement = Judgement()
        self.began = time.monotonic()

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.read / max(time.monotonic() - self.began, 0.001)

    @property
    def failed(self) -> bool:
        """Whether more than half of the rows were refused, of those that were not skipped on purpose:
        the file is hardly what the options say."""
        return self.refused.total > self.sent

    @property
    def refusals(self) -> str:
        """The last line: how many rows were refused."""
        return f"{self.refused.total:,} of {self.read:,} rows were refused"

    def summary(self, *, sent: str) -> str:
        """Several lines; `sent` is the label of the valid rows."""
        seconds = time.monotonic() - self.began
        lines = [
            f"{self.read:>9,} rows read in {seconds:,.1f} s ({self.rate:,.0f}/s)",
            f"{self.sent:>9,} {sent}",
            f"{self.skipped.total:>9,} skipped",
            *self.skipped.lines(),
            f"{self.refused.total:>9,} refused",
            *self.refused.lines(),
        ]
        if left := self.read - self.sent - self.skipped.total - self.refused.total:
            lines.append(f"{left:>9,} read but not sent")
        return "\n".join([*lines, *self.judgement.lines()])
