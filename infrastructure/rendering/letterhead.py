"""What frames every document: the head of its pages, their footers, and what the file says of itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infrastructure.rendering.flow import Flow
from infrastructure.rendering.house_style import (
    ACCENT,
    BODY_BOLD,
    BOTTOM,
    FOOTER,
    FOOTER_BOLD,
    HAIRLINE,
    ISSUER,
    LEFT,
    RIGHT,
    SMALL,
    TEXT_WIDTH,
    TITLE,
    TOP,
)
from infrastructure.rendering.line_table import fitted
from infrastructure.rendering.sheet import PAGE_HEIGHT, PAGE_WIDTH, Metadata, Page
from infrastructure.rendering.typefaces import clean, shorten, width, wrap
from infrastructure.rendering.wording import SheetWords

_TITLE_GAP = 24.0


@dataclass(frozen=True)
class Letterhead:
    """A document's frame: `title` names its kind, `note` stands in the footer of all its pages."""

    content: dict[str, Any]
    words: SheetWords
    title: str
    note: str

    def begin(self) -> Flow:
        """A flow whose first page has the issuer and the title, and whose others say what they continue."""
        flow = Flow(TOP, self._begin_continuation)
        page, y = flow.page, flow.y
        page.box(0, PAGE_HEIGHT - 6, PAGE_WIDTH, 6, ACCENT)
        page.text_right(RIGHT, y, TITLE, self.title)
        room = TEXT_WIDTH - max(150, width(self.title, TITLE.weight, TITLE.size) + _TITLE_GAP)
        for line in wrap(self._issuer, ISSUER.weight, ISSUER.size, room):
            page.text(LEFT, y, ISSUER, line)
            y -= 18
        flow.y = y - 8
        return flow

    def finish(self, flow: Flow, subject: str) -> tuple[list[Page], Metadata]:
        """The pages with their footers, and the PDF's metadata; `subject` is what the document is about."""
        for index, page in enumerate(flow.pages, start=1):
            self._draw_footer(page, self.words.page.format(page=index, pages=len(flow.pages)))
        return flow.pages, self._metadata(subject)

    @property
    def _issuer(self) -> str:
        return clean(self.content["issuer"]["legalName"])

    def _begin_continuation(self, page: Page) -> float:
        """Draws the head of a page after the first; names that stand in full on that one may be shortened."""
        y = PAGE_HEIGHT - 42
        page.box(0, PAGE_HEIGHT - 6, PAGE_WIDTH, 6, ACCENT)
        half = TEXT_WIDTH / 2 - 10
        issuer = shorten(self._issuer, BODY_BOLD.weight, BODY_BOLD.size, half)
        title = self.words.continued.format(title=self.title, number=self.content["number"])
        page.text(LEFT, y, BODY_BOLD, issuer)
        page.text_right(RIGHT, y, SMALL, shorten(title, SMALL.weight, SMALL.size, half))
        page.rule(LEFT, y - 9, TEXT_WIDTH, 0.4, HAIRLINE)
        return y - 14

    def _draw_footer(self, page: Page, page_of_pages: str) -> None:
        content = self.content
        y = BOTTOM - 30
        number = shorten(f"{self.title} {content['number']}", FOOTER.weight, FOOTER.size, 160)
        document = self.words.document.format(
            document_id=content["documentId"],
            template=content["templateVersion"],
            driver=content["driverVersion"],
        )
        page.rule(LEFT, y + 13, TEXT_WIDTH, 0.4, HAIRLINE)
        page.text(LEFT, y, FOOTER, self.note)
        page.text_right(RIGHT, y, FOOTER_BOLD, page_of_pages)
        page.text(LEFT, y - 10, fitted(document, FOOTER, TEXT_WIDTH - 170), document)
        page.text_right(RIGHT, y - 10, FOOTER, number)

    def _metadata(self, subject: str) -> Metadata:
        content = self.content
        return Metadata(
            title=f"{self.title} {content['number']}",
            author=self._issuer,
            subject=subject,
            keywords=f"{content['documentKey']}, {content['documentId']}",
            creator=f"billing-docs {content['templateVersion']}",
            language=content["language"],
            issued_at=datetime.fromisoformat(content["issuedAt"]),
        )
