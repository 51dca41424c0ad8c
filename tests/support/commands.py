"""Running `billing` in the test's own process."""

import json
from collections.abc import Callable
from typing import Any

Billing = Callable[..., tuple[int, str]]
"""Runs a command with these arguments: its exit code and what it printed."""


def asked(billing: Billing, *arguments: str) -> Any:
    """What a command prints with --json; it must end well."""
    code, out = billing(*arguments, "--json")
    assert code == 0, out
    return json.loads(out)
