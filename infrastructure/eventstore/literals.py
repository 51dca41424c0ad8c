"""PostgreSQL array literals, written in one go: psycopg converts lists item by item, which costs more."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import cast
from uuid import UUID


def plain_array(values: Iterable[int | UUID]) -> str:
    """An array of values whose text holds nothing that an array's syntax could take for its own."""
    return "{" + ",".join(map(str, values)) + "}"


def moment_array(values: Collection[datetime]) -> str:
    """An array of moments, each with its offset."""
    # What is written together mostly has one moment.
    texts = {value: value.isoformat() for value in set(values)}
    return "{" + ",".join([texts[value] for value in values]) + "}"


def text_array(values: Collection[str | None]) -> str:
    """An array of texts; None is NULL."""
    if values and None not in values:
        texts = '","'.join(cast("Collection[str]", values))
        if "\\" not in texts and texts.count('"') == 2 * (len(values) - 1):
            return '{"' + texts + '"}'
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def bytes_array(values: Iterable[bytes]) -> str:
    """An array of byte strings."""
    return "{" + ",".join(['"\\\\x' + value.hex() + '"' for value in values]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
