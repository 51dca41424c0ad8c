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

_BEFORE_REGION = {"AU": " ", "CA": " ", "US": ", "}
"""Where the region stands between city and postal code, and what before it; elsewhere it has its own line."""

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
    as_in_receipt_1: bool = False,
) -> None:
    """Draws the parties side by side, line by line, so that even endless addresses flow on.

    Whoever extracts the text finds one party after the other. `receipt/1` is frozen with their lines in turn,
    and with every region on a line of its own.
    """
    columns = [
        _party_column(label, _party_lines(party, words, formats, as_in_receipt_1)) for label, party in parties
    ]
    bases = []
    for index in range(max(len(lines) for lines in columns)):
        flow.need(LEADING)
        flow.y -= LEADING + (2 if index == 1 else 0)
        bases.append((flow.page, flow.y))
    places = [(index, column) for column, lines in enumerate(columns) for index in range(len(lines))]
    for index, column in sorted(places) if as_in_receipt_1 else places:
        page, y = bases[index]
        style, text = columns[column][index]
        page.text(COLUMN_X[column], y, style, text)
    flow.y -= 20


def draw_statement(flow: Flow, statement: str, *remarks: str) -> None:
    """Draws what the document says in one sentence, large, and remarks below it."""
    room = INNER_RIGHT - INNER_LEFT
    for line in _wrapped(statement, STATEMENT, room):
        flow.need(_STATEMENT_LEADING + LEADING)
        flow.y -= _STATEMENT_LEADING
        flow.page.text(INNER_LEFT, flow.y, STATEMENT, line)
    flow.y -= 4
    for line in (line for remark in remarks for line in _wrapped(remark, BODY, room)):
        flow.need(LEADING)
        flow.y -= LEADING
        flow.page.text(INNER_LEFT, flow.y, BODY, line)
    flow.y -= 16


def _party_column(label: str, lines: Iterable[tuple[Style, str]]) -> list[tuple[Style, str]]:
    wrapped = [(style, part) for style, line in lines for part in _wrapped(line, style)]
    return [(ACCENT_LABEL, label), *wrapped]


def _party_lines(
    party: dict[str, Any], words: SheetWords, formats: Formats, as_in_receipt_1: bool
) -> Iterator[tuple[Style, str]]:
    yield BODY_BOLD, party["legalName"]
    address = party.get("address", {})
    region, country_code = address.get("region", ""), address.get("countryCode", "ZZ")
    is_region_inside = country_code in _BEFORE_REGION and not as_in_receipt_1
    lines = (
        address.get("line1", ""),
        address.get("line2", ""),
        _place(address, region if is_region_inside else ""),
        "" if is_region_inside else region,
        formats.country(country_code),
    )
    yield from ((BODY, line) for line in lines if line.strip())
    if tax_id := party.get("taxId"):
        yield BODY, words.tax_id.format(tax_id=tax_id)


def _place(address: dict[str, Any], region: str) -> str:
    city, postal_code = address.get("city", ""), address.get("postalCode", "")
    country_code = address.get("countryCode", "ZZ")
    if region:
        city = f"{city}{_BEFORE_REGION[country_code]}{region}" if city else region
    return " ".join((city, postal_code) if country_code in _POSTAL_CODE_LAST else (postal_code, city))


def _wrapped(text: str, style: Style, max_width: float = COLUMN_WIDTH) -> list[str]:
    return wrap(clean(text), style.weight, style.size, max_width)
