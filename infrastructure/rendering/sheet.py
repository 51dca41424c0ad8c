"""Pages as lists of what stands on them, written to PDF at the end, when their number is known.

Coordinates are points from the lower left corner of an A4 page, as in PDF itself. The bytes depend on what
was placed and on the metadata only: no clock, host, environment or compression library has a say.
"""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple

from reportlab.pdfgen.canvas import Canvas

from infrastructure.rendering import typefaces
from infrastructure.rendering.typefaces import BOLD, REGULAR, Weight

PAGE_WIDTH = 595.28
PAGE_HEIGHT = 841.89

Colour = tuple[float, float, float]
"""Red, green and blue between 0 and 1."""

_WATERMARK: Colour = (0.9, 0.91, 0.92)


class Style(NamedTuple):
    """How a text looks: its size in points, weight and colour."""

    size: float
    colour: Colour
    weight: Weight = REGULAR


class _Text(NamedTuple):
    x: float
    y: float
    style: Style
    text: str


@dataclass
class Page:
    """What stands on one page; boxes and rules lie below texts."""

    boxes: list[tuple[float, float, float, float, Colour]] = field(default_factory=list)
    rules: list[tuple[float, float, float, float, Colour]] = field(default_factory=list)
    texts: list[_Text] = field(default_factory=list)

    def text(self, x: float, y: float, style: Style, text: str) -> None:
        """A text that starts at x; y is its base line."""
        self.texts.append(_Text(x, y, style, text))

    def text_right(self, x: float, y: float, style: Style, text: str) -> None:
        """A text that ends at x."""
        self.texts.append(_Text(x - typefaces.width(text, style.weight, style.size), y, style, text))

    def rule(self, x: float, y: float, length: float, thickness: float, colour: Colour) -> None:
        """A horizontal line from x to the right."""
        self.rules.append((x, y, length, thickness, colour))

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle whose lower left corner is (x, y)."""
        self.boxes.append((x, y, width, height, colour))


@dataclass(frozen=True)
class Metadata:
    """What the PDF says about itself; `issued_at` stands where other programs print the clock."""

    title: str
    author: str
    subject: str
    keywords: str
    creator: str
    language: str
    issued_at: datetime


def write_pdf(pages: list[Page], metadata: Metadata, file_id: bytes, watermark: str = "") -> bytes:
    """The pages as a PDF 1.4 file with embedded font subsets; `file_id` (16 bytes) tells it from others.

    A `watermark` is written large across each page, below everything else.
    """
    buffer = BytesIO()
    canvas = Canvas(
        buffer,
        pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
        pageCompression=0,
        invariant=1,
        lang=metadata.language,
        initialFontName=REGULAR,
    )
    _describe(canvas, metadata)
    hexadecimal = file_id.hex().encode()
    canvas._doc._ID = b"[<" + hexadecimal + b"><" + hexadecimal + b">]"
    alphabet = typefaces.alphabet_of(metadata.language)
    typefaces.begin_document(canvas._doc, alphabet)
    for page in pages:
        canvas.addLiteral(_page_code(page, canvas._doc, alphabet, watermark))
        canvas.showPage()
    for written in canvas._doc.Pages.pages:
        # The code is ASCII; reportlab would look each character up in a table.
        written.stream = written.stream.encode("ascii")
    canvas.save()
    return buffer.getvalue()


def _describe(canvas: Any, metadata: Metadata) -> None:
    canvas.setTitle(metadata.title)
    canvas.setAuthor(metadata.author)
    canvas.setSubject(metadata.subject)
    canvas.setKeywords(metadata.keywords)
    canvas.setCreator(metadata.creator)
    canvas.setProducer("billing-docs")
    canvas.setViewerPreference("DisplayDocTitle", "true")
    stamp = canvas._doc._timeStamp
    at = metadata.issued_at.astimezone(UTC)
    stamp.t, stamp.lt, stamp.YMDhms = at.timestamp(), at.timetuple(), tuple(at.timetuple())[:6]
    stamp.dhh = stamp.dmm = 0


def _page_code(page: Page, document: Any, alphabet: str, watermark: str) -> str:
    code = [_watermark_code(watermark, document)] if watermark else []
    for x, y, width, height, colour in page.boxes:
        code.append(f"{_fill(colour)} {x:.2f} {y:.2f} {width:.2f} {height:.2f} re f")
    for x, y, length, thickness, colour in page.rules:
        code.append(f"{_fill(colour)} {x:.2f} {y:.2f} {length:.2f} {thickness:.2f} re f")
    code.append("BT")
    _append_texts(code, page.texts, document, alphabet)
    code.append("ET")
    return "\n".join(code)


def _watermark_code(text: str, document: Any) -> str:
    """The text up the diagonal of the page, as large as it fits."""
    diagonal = math.hypot(PAGE_WIDTH, PAGE_HEIGHT)
    size = 0.62 * diagonal / typefaces.width(text, BOLD, 1)
    cosine, sine = PAGE_WIDTH / diagonal, PAGE_HEIGHT / diagonal
    along, below = 0.19 * diagonal, 0.36 * size
    x, y = along * cosine + below * sine, along * sine - below * cosine
    parts = typefaces.literals(text, BOLD, document)
    shown = " ".join(f"{font} {size:.4g} Tf ({literal}) Tj" for font, literal in parts)
    turned = f"{cosine:.4f} {sine:.4f} {-sine:.4f} {cosine:.4f} {x:.2f} {y:.2f} Tm"
    return f"BT {_fill(_WATERMARK)} {turned} {shown} ET"


def _append_texts(code: list[str], texts: list[_Text], document: Any, alphabet: str) -> None:
    """Font and colour are set only where they change."""
    current_colour: Colour | None = None
    current_font = ""
    common_fonts: dict[Weight, str] = {}
    for x, y, (size, colour, weight), text in texts:
        if colour != current_colour:
            code.append(_fill(colour))
            current_colour = colour
        code.append(f"1 0 0 1 {x:.2f} {y:.2f} Tm")
        common = typefaces.common_literal(text, weight, alphabet)
        if common is None:
            parts = typefaces.literals(text, weight, document)
        else:
            if weight not in common_fonts:
                common_fonts[weight] = typefaces.common_font(weight, document)
            parts = [(common_fonts[weight], common)]
        for font_name, literal in parts:
            font_code = f"{font_name} {size:.4g} Tf"
            if font_code != current_font:
                code.append(font_code)
                current_font = font_code
            code.append(f"({literal}) Tj")


@lru_cache(maxsize=256)
def _fill(colour: Colour) -> str:
    return "{:.3g} {:.3g} {:.3g} rg".format(*colour)
