"""`python -m tests.benchmarks [--baseline DIR] [--rounds N] [--seconds N]`: alternates the sides and prints medians.

Needs wrk; with --baseline, which names the folder of the design that this one replaces, also node and npm.
"""

import argparse
import shutil
import sys
from pathlib import Path
from statistics import median

from tests.benchmarks import accept, store
from tests.benchmarks.place import Place
from tests.benchmarks.system import latency, pace
from tests.benchmarks.table import Rounds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--baseline", type=Path, help="folder of the baseline: baseline.js, schema.sql, package.json")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side has its turn (default 5)")
    parser.add_argument("--seconds", type=int, default=5, help="of load in a turn (default 5)")
    options = parser.parse_args()
    for program in ("wrk", *(("node", "npm") if options.baseline else ())):
        if not shutil.which(program):
            sys.exit(f"{program} is needed for this")
    rounds = Rounds()
    with Place(options.baseline) as place:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", flush=True)
            accept.measure(place, rounds, seconds=options.seconds)
            store.measure(place, rounds)
        rounds.print()
        print(latency.describe(latency.measure(place)), flush=True)
        sustained = median(next(iter(rounds.rates[store.STORED].values())))
        for line in pace.measure(place, sustained):
            print(line, flush=True)


main()
