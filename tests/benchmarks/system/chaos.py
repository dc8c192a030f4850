"""`python -m tests.benchmarks.system.chaos [--rounds N] [--events N] [--seed N]`: kills parts of a loaded system.

Ends with an error if an event that was accepted is missing or there twice, if a rollup differs from a recount, or if
the ledger does not balance.
"""

import argparse
import shutil
import time

from tests.servers.servers import temporary_folder, until
from tests.system.chaos import Chaos


def main() -> None:
    """Run, check and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.system.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="how often something is killed (default 10)")
    parser.add_argument("--events", type=int, default=200_000, help="to be accepted at least (default 200,000)")
    parser.add_argument("--seed", type=int, default=0, help="another one kills other things (default 0)")
    options = parser.parse_args()
    folder = temporary_folder()
    chaos = Chaos(folder / "data", seed=options.seed)
    start = time.monotonic()
    try:
        with chaos.load():
            for number in range(options.rounds):
                chaos.round(options.events // options.rounds)
                print(f"round {number + 1}: killed {chaos.killed[-1]}; {chaos.accepted:,} accepted", flush=True)
            until(lambda: chaos.accepted >= options.events, timeout=600)
        loaded = time.monotonic()
        chaos.check()
    finally:
        chaos.stack.stop()
        shutil.rmtree(folder)
    print(
        f"{chaos.accepted:,} events accepted in {loaded - start:.0f} s while {', '.join(chaos.killed)} were killed; "
        f"all stored once and all rollups and the ledger right {time.monotonic() - loaded:.0f} s later; "
        f"{chaos.refused:,} requests were refused or broken off and sent again"
    )


if __name__ == "__main__":
    main()
