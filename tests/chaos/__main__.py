"""A long run: `python -m tests.chaos --minutes 30`, with `--seed` to send and break the same again."""

import argparse
import sys
from pathlib import Path

from tests.chaos.chaos import run
from tests.chaos.long_run import long_run


def main() -> int:
    """Prints the outcome and writes it as JSON; 1 where something was found, and then data and log stay."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    return long_run(
        parser, Path(".data/chaos.json"), lambda folder, asked: run(folder, asked.minutes * 60, asked.seed)
    )


if __name__ == "__main__":
    sys.exit(main())
