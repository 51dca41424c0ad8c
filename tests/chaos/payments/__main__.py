"""A long run: `python -m tests.chaos.payments --payments 2000`; with `--seed` it pays and breaks the same."""

import argparse
import sys
from pathlib import Path

from tests.chaos.long_run import long_run
from tests.chaos.payments.run import run


def main() -> int:
    """Prints the outcome and writes it as JSON; 1 where something was found, and then data and log stay."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.payments", description=__doc__)
    parser.add_argument("--payments", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=16)
    return long_run(
        parser,
        Path(".data/chaos-payments.json"),
        lambda folder, asked: run(folder, asked.payments, asked.clients, asked.seed),
    )


if __name__ == "__main__":
    sys.exit(main())
