"""Margins, colours and type sizes that the templates of version 1 share. Frozen with them."""

from infrastructure.rendering.sheet import PAGE_HEIGHT, PAGE_WIDTH, Colour, Style
from infrastructure.rendering.typefaces import BOLD

LEFT = 51.0
RIGHT = PAGE_WIDTH - 51.0
TOP = PAGE_HEIGHT - 64.0
BOTTOM = 82.0
"""Nothing but the footer stands below it."""
TEXT_WIDTH = RIGHT - LEFT

INSET = 11.0
"""Texts in bands and tables stand this far within the margins, so that all of them line up."""
INNER_LEFT = LEFT + INSET
INNER_RIGHT = RIGHT - INSET
COLUMN_GAP = 10.0
COLUMN_WIDTH = (INNER_RIGHT - INNER_LEFT - 2 * COLUMN_GAP) / 3
"""Facts and parties stand in three columns."""
COLUMN_X = tuple(INNER_LEFT + index * (COLUMN_WIDTH + COLUMN_GAP) for index in range(3))

INK: Colour = (0.11, 0.14, 0.18)
MUTED: Colour = (0.40, 0.44, 0.49)
ACCENT: Colour = (0.06, 0.35, 0.37)
HAIRLINE: Colour = (0.85, 0.87, 0.89)
BAND: Colour = (0.95, 0.965, 0.967)
WHITE: Colour = (1.0, 1.0, 1.0)

TITLE = Style(25, ACCENT, BOLD)
ISSUER = Style(15, INK, BOLD)
LABEL = Style(7.2, MUTED)
ACCENT_LABEL = Style(7.2, ACCENT, BOLD)
BODY = Style(8.8, INK)
BODY_MUTED = Style(8.8, MUTED)
BODY_BOLD = Style(8.8, INK, BOLD)
STATEMENT = Style(14.5, INK, BOLD)
SMALL = Style(7.8, MUTED)
TOTAL = Style(12.5, WHITE, BOLD)
FOOTER = Style(7.0, MUTED)
FOOTER_BOLD = Style(7.0, INK, BOLD)

LEADING = 11.6
"""From base line to base line of body text."""
