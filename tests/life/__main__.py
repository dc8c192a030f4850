"""Live long lives: `python -m tests.life --seeds 200`, on a server of its own.

Each life has a database of its own. Of a life that goes wrong it prints the shortest sequence of steps that still does.
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.life.counting.asking import Mismatch
from tests.life.databases import Databases
from tests.life.faults import FAULTS
from tests.life.life import Lived, live
from tests.life.shrink import shortest, written
from tests.life.writing.author import write_life


def main() -> None:
    """Live them, some at a time."""
    options = _options()
    began = time.monotonic()
    with Databases() as databases, ProcessPoolExecutor(options.processes) as processes:
        seeds = range(options.first, options.first + options.seeds)
        arguments = [(seed, options.events, databases.url, options.fault, options.shorten) for seed in seeds]
        lives = list(processes.map(_live, arguments))
    total = Lived()
    failed = 0
    for one in lives:
        failed += one is None
        if one:
            total.events += one.events
            total.questions += one.questions
            total.by_step += one.by_step
    print(f"{len(lives)} lives, {failed} went wrong; {total.events:,} events, {total.questions:,} questions, "
          f"{sum(total.by_step.values()):,} steps in {time.monotonic() - began:,.0f} s")  # fmt: skip
    print(", ".join(f"{name} {count:,}" for name, count in total.by_step.most_common()))
    sys.exit(bool(failed))


def _live(arguments: tuple[int, int, str, str | None, bool]) -> Lived | None:
    seed, events, server, fault, shorten = arguments
    life = write_life(seed, events=events)
    databases = Databases(server)
    try:
        with databases.fresh() as url:
            lived = live(life, url, fault=fault)
    except Exception as error:
        print(f"seed {seed} went wrong: {type(error).__name__}: {str(error)[:3_000]}", flush=True)
        if shorten and isinstance(error, Mismatch):
            print(written(shortest(life, databases, fault=fault)), flush=True)
        return None
    print(f"seed {seed}: {lived.events:,} events, {lived.questions:,} questions", flush=True)
    return lived


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many lives")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--events", type=int, default=10_000, help="events of a life, about")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--fault", choices=sorted(FAULTS), help="put a fault back, to see it found")
    parser.add_argument("--shorten", action="store_true", help="print the shortest sequence of steps that goes wrong")
    return parser.parse_args()


if __name__ == "__main__":
    main()
