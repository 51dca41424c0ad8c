"""A long run: `python -m tests.chaos --minutes 30`, with `--seed` to send and break the same again."""

import argparse
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.chaos import run


def main() -> int:
    """Prints the outcome and writes it as JSON; 1 where something was found, and then data and log stay."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--report", type=Path, default=Path(".data/chaos.json"))
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="billing-chaos-"))
    sys.stdout.write(f"seed {arguments.seed}, {arguments.minutes:g} minutes, log {folder / 'data.log'}\n")
    sys.stdout.flush()
    outcome = run(folder, arguments.minutes * 60, arguments.seed)
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(outcome.as_json(), indent=2)
    arguments.report.write_text(f"{text}\n")
    sys.stdout.write(f"{text}\n")
    if outcome.findings:
        sys.stdout.write(f"{len(outcome.findings)} findings; data and log stay in {folder}\n")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
