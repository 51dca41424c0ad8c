"""Data that the project reads from TOML files, and how what is wrong with one is told: by file and line.

Files hold what people review and date, such as tax rules and document policies (ADR 0019, ADR 0022). Who
reads them hands their text in; this module does no I/O.
"""

import re
import tomllib
from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from pydantic import ValidationError, model_validator

from domain.kernel.facts import Value

Place = tuple[int | str, ...]
"""Where in a file something stands, as pydantic tells places: `("tax", 3, "source")`."""

Fault = tuple[Place, str]
"""Where in a file something is wrong, and what."""

ValueT = TypeVar("ValueT", bound=Value)

_HEADER = re.compile(r"""(\[\[?)\s*([A-Za-z0-9_."' -]+?)\s*\]\]?\s*(#.*)?""")
_FIELD = re.compile(r"""([A-Za-z0-9_.-]+|"[^"]*"|'[^']*')\s*=""")
_KEY = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")
_LINE_TOLD = re.compile(r"\(at line (\d+)")


class Period(Value):
    """From one day to another, both included; without a last one for good."""

    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Period":
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        return self

    def holds(self, on: date) -> bool:
        """Whether it is in force that day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def shares_a_day_with(self, other: "Period") -> bool:
        """Whether there is a day on which both hold."""
        return (other.valid_to is None or self.valid_from <= other.valid_to) and (
            self.valid_to is None or other.valid_from <= self.valid_to
        )


def read_data_file(model: type[ValueT], file_name: str, text: str) -> ValueT:
    """What a file's text holds. Raises ValueError whose every line names the file and a line of it."""
    try:
        return model.model_validate(tomllib.loads(text), by_alias=False, by_name=True)
    except tomllib.TOMLDecodeError as error:
        told = _LINE_TOLD.search(str(error))
        line = told[1] if told else len(text.splitlines()) or 1
        raise ValueError(f"{file_name}:{line}: {error}") from error
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise faulty(file_name, text, [(fault["loc"], fault["msg"]) for fault in found]) from error


def faulty(file_name: str, text: str, faults: Iterable[Fault]) -> ValueError:
    """An error that tells of each fault in a line of its own: `mx.toml:12: rule.0.outcome: …`."""
    lines = _lines_of_places(text)
    return ValueError(
        "\n".join(
            f"{file_name}:{_line_of(place, lines)}: {'.'.join(map(str, place))}: {fault}"
            for place, fault in faults
        )
    )


def _line_of(place: Place, lines: dict[Place, int]) -> int:
    """The line of a place, that of what holds it where it has none of its own; 1 at worst."""
    nearest = (place[:length] for length in range(len(place), 0, -1) if place[:length] in lines)
    return lines.get(next(nearest, ()), 1)


def _lines_of_places(text: str) -> dict[Place, int]:
    """On which line each table and each field of a TOML text begins, counted from 1."""
    lines: dict[Place, int] = {}
    last_of_arrays: dict[Place, int] = {}
    table: Place = ()
    in_long_string = False
    for number, line in enumerate(text.splitlines(), 1):
        begins_or_ends_one = (line.count('"""') + line.count("'''")) % 2 == 1
        if in_long_string:
            in_long_string = not begins_or_ends_one
            continue
        in_long_string = begins_or_ends_one
        if header := _HEADER.fullmatch(line.strip()):
            table = _table(header[2], last_of_arrays, is_array=header[1] == "[[")
            for length in range(1, len(table) + 1):
                lines.setdefault(table[:length], number)
        elif field := _FIELD.match(line.strip()):
            lines.setdefault(table + _keys(field[1]), number)
    return lines


def _table(name: str, last_of_arrays: dict[Place, int], *, is_array: bool) -> Place:
    """The place of a table by its header; `[[rule.when]]` belongs to the last `[[rule]]` before it."""
    place: Place = ()
    *holders, own = _keys(name)
    for key in holders:
        place = (*place, key)
        if place in last_of_arrays:
            place = (*place, last_of_arrays[place])
    place = (*place, own)
    if is_array:
        last_of_arrays[place] = last_of_arrays.get(place, -1) + 1
        place = (*place, last_of_arrays[place])
    return place


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(double or single or bare for double, single, bare in _KEY.findall(dotted))
