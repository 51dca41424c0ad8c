"""A cursor that walks down pages and starts a new one where the present one is full."""

from collections.abc import Callable

from infrastructure.rendering.house_style import BOTTOM
from infrastructure.rendering.sheet import Page


class Flow:
    """`y` is how far down `page` is used, in points from the lower edge.

    `begin_page` draws the head of a continuation page and returns the y below it.
    """

    def __init__(self, first_page_y: float, begin_page: Callable[[Page], float]) -> None:
        self.pages = [Page()]
        self.y = first_page_y
        self._begin_page = begin_page
        self.fresh_room = begin_page(Page()) - BOTTOM

    @property
    def page(self) -> Page:
        """The page that is being filled."""
        return self.pages[-1]

    @property
    def room(self) -> float:
        """How many points are left above the footer."""
        return self.y - BOTTOM

    def turn(self) -> None:
        """Goes on at the top of a new page."""
        self.pages.append(Page())
        self.y = self._begin_page(self.page)

    def need(self, height: float) -> None:
        """Turns the page unless `height` points are left."""
        if self.room < height:
            self.turn()
