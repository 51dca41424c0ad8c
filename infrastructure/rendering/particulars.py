"""What stands above a document's lines: its facts in a band, the parties side by side, a statement."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from infrastructure.rendering.flow import Flow
from infrastructure.rendering.formats import Formats
from infrastructure.rendering.house_style import (
    ACCENT_LABEL,
    BAND,
    BODY,
    BODY_BOLD,
    COLUMN_GAP,
    COLUMN_WIDTH,
    COLUMN_X,
    INNER_LEFT,
    INNER_RIGHT,
    LABEL,
    LEADING,
    LEFT,
    STATEMENT,
    TEXT_WIDTH,
)
from infrastructure.rendering.sheet import Style
from infrastructure.rendering.typefaces import clean, wrap
from infrastructure.rendering.wording import SheetWords

_POSTAL_CODE_LAST = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "US"})
"""Where the postal code follows the city; elsewhere it stands before it."""

_STATEMENT_LEADING = 19.0


class Fact(NamedTuple):
    """A label and its value; `columns` of the band's three are its own."""

    label: str
    value: str
    columns: int = 1


class PlacedParty(NamedTuple):
    """A party under its label, as it stands in a document's content."""

    label: str
    party: dict[str, Any]


def draw_facts(flow: Flow, facts: Iterable[Fact]) -> None:
    """Draws the facts in a band of three columns; long ones wrap within theirs."""
    rows = list(_rows_of(facts))
    heights = [16.0 + LEADING * max(len(lines) for _, _, lines in row) for row in rows]
    height = sum(heights) + 8
    flow.page.box(LEFT, flow.y - height, TEXT_WIDTH, height, BAND)
    y = flow.y
    for row, row_height in zip(rows, heights, strict=True):
        for x, label, lines in row:
            flow.page.text(x, y - 15.5, LABEL, label)
            for index, line in enumerate(lines):
                flow.page.text(x, y - 27 - index * LEADING, BODY_BOLD, line)
        y -= row_height
    flow.y -= height + 18


def _rows_of(facts: Iterable[Fact]) -> Iterator[list[tuple[float, str, list[str]]]]:
    """The facts row by row, each with its x and its value in lines."""
    row: list[tuple[float, str, list[str]]] = []
    column = 0
    for label, value, columns in facts:
        if column + columns > len(COLUMN_X):
            yield row
            row, column = [], 0
        max_width = columns * COLUMN_WIDTH + (columns - 1) * COLUMN_GAP
        row.append((COLUMN_X[column], label, _wrapped(value, BODY_BOLD, max_width)))
        column += columns
    yield row


def draw_parties(
    flow: Flow,
    parties: Sequence[PlacedParty],
    words: SheetWords,
    formats: Formats,
    *,
    is_row_by_row: bool = False,
) -> None:
    """Draws the parties side by side, line by line, so that even endless addresses flow on.

    Whoever extracts the text finds one party after the other, or their lines in turn (`receipt/1`, which
    is frozen so).
    """
    columns = [_party_column(label, party, words, formats) for label, party in parties]
    bases = []
    for index in range(max(len(lines) for lines in columns)):
        flow.need(LEADING)
        flow.y -= LEADING + (2 if index == 1 else 0)
        bases.append((flow.page, flow.y))
    places = [(index, column) for column, lines in enumerate(columns) for index in range(len(lines))]
    for index, column in sorted(places) if is_row_by_row else places:
        page, y = bases[index]
        style, text = columns[column][index]
        page.text(COLUMN_X[column], y, style, text)
    flow.y -= 20


def draw_statement(flow: Flow, statement: str, remark: str) -> None:
    """Draws what the document says in one sentence, large, and a remark below it."""
    room = INNER_RIGHT - INNER_LEFT
    for line in _wrapped(statement, STATEMENT, room):
        flow.need(_STATEMENT_LEADING + LEADING)
        flow.y -= _STATEMENT_LEADING
        flow.page.text(INNER_LEFT, flow.y, STATEMENT, line)
    flow.y -= 3
    for line in _wrapped(remark, BODY, room):
        flow.need(LEADING)
        flow.y -= LEADING
        flow.page.text(INNER_LEFT, flow.y, BODY, line)
    flow.y -= 18


def _party_column(
    label: str, party: dict[str, Any], words: SheetWords, formats: Formats
) -> list[tuple[Style, str]]:
    lines = [(ACCENT_LABEL, label)]
    lines += [(BODY_BOLD, line) for line in _wrapped(party["legalName"], BODY_BOLD)]
    for text in _party_lines(party, words, formats):
        lines += [(BODY, line) for line in _wrapped(text, BODY)]
    return lines


def _party_lines(party: dict[str, Any], words: SheetWords, formats: Formats) -> Iterator[str]:
    address = party.get("address", {})
    city, postal_code = address.get("city", ""), address.get("postalCode", "")
    country_code = address.get("countryCode", "ZZ")
    place = (city, postal_code) if country_code in _POSTAL_CODE_LAST else (postal_code, city)
    lines = (
        address.get("line1", ""),
        address.get("line2", ""),
        " ".join(place),
        address.get("region", ""),
        formats.country(country_code),
    )
    yield from (line for line in lines if line.strip())
    if tax_id := party.get("taxId"):
        yield words.tax_id.format(tax_id=tax_id)


def _wrapped(text: str, style: Style, max_width: float = COLUMN_WIDTH) -> list[str]:
    return wrap(clean(text), style.weight, style.size, max_width)
