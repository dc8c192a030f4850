"""What was measured: medians over the rounds, their spread, and ratios to our own side."""

from collections import defaultdict
from statistics import median

from rich.console import Console
from rich.table import Table


class Rounds:
    """Rates of each side in each round, by what was measured."""

    def __init__(self) -> None:
        self.rates: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, measured: str, side: str, rate: float) -> None:
        """One side's rate in one round; ours is the first to be added."""
        self.rates[measured][side].append(rate)

    def print(self) -> None:
        """A table for each thing measured. A ratio is ours to that side's, of the medians."""
        for measured, sides in self.rates.items():
            table = Table("side", "median", "lowest", "highest", "ours : it", title=measured, title_justify="left")
            ours = median(next(iter(sides.values())))
            for side, rates in sides.items():
                table.add_row(
                    side,
                    *(f"{value:,.0f}" for value in (median(rates), min(rates), max(rates))),
                    f"{ours / median(rates):.2f}",
                )
            Console().print(table)
