"""What holds for every file, however odd."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.imports.retail import map_retail
from application.imports.retail_facts import cloud_event, event_id
from application.imports.retail_report import check_ties, make_report
from tests.application.imports.retail_oracle import slow_report
from tests.support.retail_samples import ShopRow, csv_lines

rows = st.tuples(
    st.sampled_from(["1", "2", "3", "4", "A5", "C1", "C2", "C3"]),
    st.sampled_from(["X", "Y", "x"]),
    st.integers(-6, 6) | st.sampled_from(["-0", "1.5", "-2.5", "3.0"]),
    st.sampled_from([f"01-0{day} 10:0{minute}" for day in range(1, 4) for minute in range(2)]),
    st.sampled_from(["0", "-1", "1", "2.50", "0.005", "0.333", "10"]),
    st.sampled_from(["7", "7", "8", ""]),
)
# Sales before cancellations, so that a good part of the files has refunds that match.
sales = st.tuples(
    st.sampled_from(["1", "2", "3", "4"]),
    st.sampled_from(["X", "Y"]),
    st.integers(1, 6),
    st.sampled_from(["01-01 10:00", "01-01 10:01", "01-02 10:00"]),
    st.sampled_from(["1", "2.50", "0.005", "0.333"]),
    st.just("7"),
)
cancellations = st.tuples(
    st.sampled_from(["C1", "C2", "C3"]),
    st.sampled_from(["X", "Y"]),
    st.integers(-9, -1),
    st.sampled_from(["01-02 10:00", "01-03 10:00"]),
    st.sampled_from(["1", "2.50", "0.005", "0.335"]),
    st.just("7"),
)
files = st.lists(rows, max_size=30) | st.tuples(
    st.lists(sales, max_size=15), st.lists(cancellations, max_size=15)
).map(lambda parts: parts[0] + parts[1])


@given(files)
@settings(max_examples=400, deadline=None)
def test_the_fast_way_and_the_slow_way_agree(file: list[ShopRow]) -> None:
    lines = csv_lines(file)
    result = map_retail(lines)
    report = make_report(result, {})
    assert check_ties(report) == ()
    expected = slow_report(lines)
    pieces = [
        (refund.refund_id, piece.row.stock_code, Fraction(piece.quantity), piece.amount_minor)
        for refund in result.refunds
        for piece in refund.pieces
    ]
    assert sorted(pieces) == expected.pop("pieces")
    assert {key: value for key, value in report.to_json().items() if key != "documents"} == expected


@given(files)
@settings(deadline=None)
def test_nothing_is_refunded_twice_or_beyond_what_was_paid_and_causes_come_first(file: list[ShopRow]) -> None:
    result = map_retail(csv_lines(file))
    sold: Counter[tuple[str, str]] = Counter()
    for order in result.orders:
        for row in order.lines:
            sold[order.order_id, row.stock_code] += Fraction(row.quantity)  # type: ignore[assignment]
    paid = {order.order_id: order.amount_minor for order in result.orders}
    for refund in result.refunds:
        order_id = refund.order.order_id
        paid[order_id] -= refund.amount_minor
        for piece in refund.pieces:
            sold[order_id, piece.row.stock_code] -= Fraction(piece.quantity)  # type: ignore[assignment]
            assert piece.quantity > 0
            assert piece.amount_minor >= 0
            assert refund.order.paid_at < piece.row.sold_at
            assert refund.order.customer_id == piece.row.customer_id != ""
    assert min([*sold.values(), *paid.values(), 0]) == 0


@given(files)
@settings(deadline=None)
def test_the_same_file_gives_the_same_facts_under_ids_of_their_own(file: list[ShopRow]) -> None:
    once, again = (
        [cloud_event(fact) for fact in [*result.orders, *result.refunds]]
        for result in (map_retail(csv_lines(file)), map_retail(csv_lines(file)))
    )
    assert once == again
    assert len({event["id"] for event in once}) == len(once)


@pytest.mark.slow
@given(files, files, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_invoices_of_other_customers_make_no_difference_wherever_they_stand(
    file: list[ShopRow], other: list[ShopRow], random: object
) -> None:
    def facts(rows_of_file: list[ShopRow]) -> dict[str, object]:
        result = map_retail(csv_lines(rows_of_file))
        return {event_id(fact): cloud_event(fact)["data"] for fact in [*result.orders, *result.refunds]}

    strangers = [
        (f"{row[0]}9", *row[1:5], f"{row[5]}9" if row[5] else "") for row in other
    ]  # other invoice numbers and other customers
    mixed: list[ShopRow] = []
    left, right = list(file), list(strangers)
    while left or right:
        source = left if not right or (left and random.random() < 0.5) else right  # type: ignore[attr-defined]
        mixed.append(source.pop(0))
    assert facts(file).items() <= facts(mixed).items()
