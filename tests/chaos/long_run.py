"""A long run on the command line: its seed, its report, and what stays where something was found."""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol


class Found(Protocol):
    """What a run did and found."""

    @property
    def findings(self) -> list[str]:
        """What is not as it must be."""
        ...

    def as_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        ...


def long_run(
    parser: argparse.ArgumentParser, report: Path, run: Callable[[Path, argparse.Namespace], Found]
) -> int:
    """Prints the outcome and writes it as JSON; 1 where something was found, and then data and log stay.

    `run` gets a folder of its own and the arguments, `--seed` among them.
    """
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--report", type=Path, default=report)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="billing-chaos-"))
    sys.stdout.write(f"seed {arguments.seed}, log {folder / 'data.log'}\n")
    sys.stdout.flush()
    outcome = run(folder, arguments)
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(outcome.as_json(), indent=2)
    arguments.report.write_text(f"{text}\n")
    sys.stdout.write(f"{text}\n")
    if outcome.findings:
        sys.stdout.write(f"{len(outcome.findings)} findings; data and log stay in {folder}\n")
        return 1
    shutil.rmtree(folder)
    return 0
