"""Every read model: the rows depend on the history alone, not on how it was cut into batches."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.streams import REGISTRY
from projections.projection import Projection
from projections.registry import PROJECTIONS, PROJECTIONS_BY_NAME
from tests.support.folding import History, busy_history, folded, in_batches

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)


@pytest.fixture
async def history() -> History:
    return await busy_history()


@every_projection
async def test_the_history_concerns_every_event_that_is_folded(
    projection: Projection, history: History
) -> None:
    assert projection.event_names <= {event.name for event in history.events}
    assert all(folded(projection, history.events).values())


@every_projection
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@for_any(data=st.data())
async def test_any_cut_into_batches_gives_the_same_rows(
    projection: Projection, history: History, data: Any
) -> None:
    ends = data.draw(st.lists(st.integers(0, len(history.events)), max_size=8))
    assert in_batches(projection, history.events, ends) == folded(projection, history.events)


@every_projection
async def test_the_row_as_of_any_event_is_the_one_folded_step_by_step(
    projection: Projection, history: History
) -> None:
    rows = folded(projection, [])
    for index, event in enumerate(history.events):
        rows = folded(projection, [event], rows)
        assert rows == folded(projection, history.events[: index + 1])


@every_projection
async def test_no_fold_changes_the_row_that_it_was_given(projection: Projection, history: History) -> None:
    rows = folded(projection, [])
    for event in history.events:
        if event.name not in projection.event_names:
            continue
        for row_fold in projection.row_folds:
            for key in row_fold.keys(event):
                before = rows[row_fold.table.name].get(key)
                kept = copy.deepcopy(before)
                row_fold.fold(before, event, key)
                assert before == kept
        rows = folded(projection, [event], rows)


@every_projection
async def test_a_row_has_every_column_and_its_key(projection: Projection, history: History) -> None:
    rows = folded(projection, history.events)
    for table in projection.tables:
        for key, row in rows[table.name].items():
            assert set(row) == {column.name for column in table.columns}
            assert tuple(row[column.name] for column in table.primary_key.columns) == key
            assert not [name for name, value in row.items() if value is None and not table.c[name].nullable]


@every_projection
def test_a_projection_names_only_events_that_exist(projection: Projection) -> None:
    for name in projection.event_names:
        REGISTRY.by_name(name)


def test_every_table_has_one_owner() -> None:
    tables = [table.name for projection in PROJECTIONS for table in projection.tables]
    assert len(set(tables)) == len(tables)
    assert set(PROJECTIONS_BY_NAME) == {projection.name for projection in PROJECTIONS}


@every_projection
def test_tables_are_named_by_the_version_of_their_projection(projection: Projection) -> None:
    """So that workers of two versions never write the same table."""
    assert {table.name.rpartition("_v")[2] for table in projection.tables} == {str(projection.version)}
