"""Orders of a shop and the refunds of its cancellations, matched from the file alone so that repeats agree.

A cancelled line looks for orders whose time is strictly before its own, of the same known customer and the
same stock code: newest first, of equally old ones the one that begins later in the file. What an order sold
of a stock code is one pool, less what lines before this one (in file order) have refunded. The whole file is
searched: an earlier order may stand further down.

A line that several orders cover is cut into pieces. The amount of the pieces 1 to k is price × their
quantity, rounded half up, so each piece is the difference to the pieces before it: none is negative and
together they are exactly the line's amount.

A cancelled line without a negative quantity takes nothing back, so no order can be its original.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from application.imports.retail_rows import Row, line_amount_minor

NO_ORIGINAL_ORDER = "NO_ORIGINAL_ORDER"
REFUND_EXCEEDS_PAID = "REFUND_EXCEEDS_PAID"


@dataclass(frozen=True, slots=True)
class Order:
    """The accepted lines of one invoice number.

    Time, buyer and country are those of its first accepted line; `amount_minor` (pence) is their total.
    """

    order_id: str
    lines: tuple[Row, ...]
    country_code: str
    amount_minor: int

    @property
    def paid_at(self) -> datetime:
        """Wall-clock time in London."""
        return self.lines[0].sold_at

    @property
    def customer_id(self) -> str:
        """Empty where the shop does not know the buyer."""
        return self.lines[0].customer_id

    @property
    def age_key(self) -> tuple[datetime, int]:
        """Older orders come first; of equally old ones, the one that begins earlier in the file."""
        return (self.lines[0].sold_at, self.lines[0].line_number)


class Piece(NamedTuple):
    """What one cancelled line gives back on one order; `amount_minor` in pence."""

    row: Row
    order: Order
    quantity: Decimal
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Refund:
    """All that one cancellation gives back on one order, in file order."""

    cancellation_no: str
    order: Order
    pieces: list[Piece]

    @property
    def refund_id(self) -> str:
        """`C…-order`."""
        return f"{self.cancellation_no}-{self.order.order_id}"

    @property
    def amount_minor(self) -> int:
        """Pence."""
        return sum(piece.amount_minor for piece in self.pieces)


@dataclass(slots=True)
class _Pool:
    """What is left of one stock code that one customer bought: parallel lists, oldest order first.

    `sums` is a Fenwick tree over `left`: `sums[n]` is the total of as many places up to the n-th as the
    lowest set bit of n says. It tells in logarithmic time what is left before a moment, so that cancelled
    lines which many orders cannot cover stay cheap.
    """

    age_keys: list[tuple[datetime, int]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    left: list[Decimal] = field(default_factory=list)
    sums: list[Decimal] = field(default_factory=lambda: [Decimal(0)])

    def append(self, order: Order, quantity: Decimal) -> None:
        """Add what the next order sold; each order comes once, oldest first."""
        self.age_keys.append(order.age_key)
        self.orders.append(order)
        self.left.append(quantity)
        end = len(self.left)
        first = end - (end & -end)
        self.sums.append(quantity + self._total(end - 1) - self._total(first))

    def cover(self, row: Row) -> list[Piece] | None:
        """The pieces that cover a cancelled line wholly, newest order first, or None."""
        wanted = -row.quantity
        # A pair with a low line number sorts before every order of the same time, so those are left out.
        available = self._total(bisect_left(self.age_keys, (row.sold_at, 0)))
        if wanted > available:
            return None
        pieces: list[Piece] = []
        covered, covered_amount = Decimal(0), 0
        while covered < wanted:
            place = self._place_reaching(available - covered)
            taken = min(self.left[place], wanted - covered)
            covered += taken
            amount_so_far = line_amount_minor(covered, row.unit_price)
            pieces.append(Piece(row, self.orders[place], taken, amount_so_far - covered_amount))
            covered_amount = amount_so_far
        return pieces

    def use_up(self, pieces: list[Piece]) -> None:
        """Take covered pieces out."""
        for piece in pieces:
            place = bisect_left(self.age_keys, piece.order.age_key)
            self.left[place] -= piece.quantity
            node = place + 1
            while node < len(self.sums):
                self.sums[node] -= piece.quantity
                node += node & -node

    def _total(self, count: int) -> Decimal:
        """What is left of the oldest `count` orders."""
        total = Decimal(0)
        while count:
            total += self.sums[count]
            count -= count & -count
        return total

    def _place_reaching(self, total: Decimal) -> int:
        """The first place at which what is left, added up from the oldest on, reaches a positive total."""
        place, step = 0, 1 << len(self.left).bit_length()
        while step:
            if place + step < len(self.sums) and self.sums[place + step] < total:
                place += step
                total -= self.sums[place]
            step >>= 1
        return place


class Matched(NamedTuple):
    """A cancelled line with the pieces that refund it, or the reason why nothing does."""

    row: Row
    pieces: list[Piece]
    refused: str | None


def match_cancellations(orders: Iterable[Order], cancelled: Sequence[Row]) -> Iterator[Matched]:
    """Match cancelled lines, given in file order, to orders; a refused line uses nothing up."""
    pools = _pools(orders, {_pool_key(row) for row in cancelled})
    refunded_minor: dict[str, int] = {}
    for row in cancelled:
        pool = pools.get(_pool_key(row))
        pieces = pool.cover(row) if pool and row.quantity < 0 else None
        if pool is None or pieces is None:
            yield Matched(row, [], NO_ORIGINAL_ORDER)
        elif any(
            refunded_minor.get(piece.order.order_id, 0) + piece.amount_minor > piece.order.amount_minor
            for piece in pieces
        ):
            yield Matched(row, [], REFUND_EXCEEDS_PAID)
        else:
            pool.use_up(pieces)
            for piece in pieces:
                order_id = piece.order.order_id
                refunded_minor[order_id] = refunded_minor.get(order_id, 0) + piece.amount_minor
            yield Matched(row, pieces, None)


def group_refunds(matches: Iterable[Matched]) -> list[Refund]:
    """One refund per cancellation and order, in the order in which their first pieces stand in the file."""
    refunds: dict[tuple[str, str], Refund] = {}
    for match in matches:
        for piece in match.pieces:
            key = (piece.row.invoice_no, piece.order.order_id)
            refunds.setdefault(key, Refund(piece.row.invoice_no, piece.order, [])).pieces.append(piece)
    return list(refunds.values())


def _pool_key(row: Row) -> tuple[str, str]:
    return (row.customer_id, row.stock_code)


def _pools(orders: Iterable[Order], wanted: Set[tuple[str, str]]) -> dict[tuple[str, str], _Pool]:
    """The pools that anything is taken from: most of what a shop sells never comes back."""
    pools: dict[tuple[str, str], _Pool] = {}
    for order in sorted(orders, key=lambda order: order.age_key):
        if order.customer_id:
            sold: dict[tuple[str, str], Decimal] = {}
            for row in order.lines:
                key = (order.customer_id, row.stock_code)
                if key in wanted:
                    sold[key] = sold.get(key, Decimal(0)) + row.quantity
            for key, quantity in sold.items():
                pools.setdefault(key, _Pool()).append(order, quantity)
    return pools
