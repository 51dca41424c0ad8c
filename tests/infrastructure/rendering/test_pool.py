"""The rendering processes: same bytes as here, replaced when they die, gone when their parent is."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.rendering.pdf import UnknownTemplateError, render_pdf
from infrastructure.rendering.pool import RenderPool
from tests.support.golden_documents import golden_documents

PROJECT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    pool = RenderPool(2)
    yield pool
    pool.close()


@pytest.mark.slow
async def test_the_pool_draws_what_this_process_would_draw(pool: RenderPool) -> None:
    documents = list(golden_documents().values())
    drawn = await asyncio.gather(*(pool.render(document) for document in documents))
    assert drawn == [render_pdf(document) for document in documents]


async def test_a_document_that_cannot_be_drawn_raises_here(pool: RenderPool) -> None:
    with pytest.raises(UnknownTemplateError):
        await pool.render(b'{"docType":"RECEIPT","templateVersion":"receipt/999"}')


@pytest.mark.slow
async def test_killed_children_are_replaced_and_the_documents_drawn(pool: RenderPool) -> None:
    documents = list(golden_documents().values())
    await pool.render(documents[0])
    for child in multiprocessing.active_children():
        os.kill(child.pid or 0, signal.SIGKILL)
    drawn = await asyncio.gather(*(pool.render(document) for document in documents))
    assert drawn == [render_pdf(document) for document in documents]


async def test_children_ignore_ctrl_c(pool: RenderPool) -> None:
    document = golden_documents()["receipt-en-fees-and-credits"]
    await asyncio.gather(*(pool.render(document) for _ in range(4)))
    before = {child.pid for child in multiprocessing.active_children()}
    for pid in before:
        os.kill(pid or 0, signal.SIGINT)
    assert await pool.render(document) == render_pdf(document)
    assert {child.pid for child in multiprocessing.active_children()} == before


@pytest.mark.slow
def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, multiprocessing, sys, time\n"
        "from infrastructure.rendering.pool import RenderPool\n"
        "if __name__ == '__main__':\n"
        "    pool = RenderPool(2)\n"
        "    asyncio.run(pool.render(sys.stdin.buffer.read()))\n"
        "    print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(golden_documents()["receipt-en-fees-and-credits"])
    parent.stdin.close()
    children = [int(pid) for pid in parent.stdout.readline().split()]
    parent.stdout.close()
    assert len(children) == 2
    assert all(_is_alive(pid) for pid in children)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while any(_is_alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_is_alive(pid) for pid in children)


def _is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")
