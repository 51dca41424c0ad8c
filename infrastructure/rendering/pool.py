"""Rendering in child processes, since drawing is pure computation and Python computes one thing at a time.

The children are spawned, not forked: they share no lock, thread or connection with the service.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

from infrastructure.rendering import typefaces
from infrastructure.rendering.pdf import render_pdf


class RenderPool:
    """Draws documents in child processes, which start at once and end with this process, however it ends.

    It may be used from any thread and event loop.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._replacing = threading.Lock()
        self._executor = self._start()

    async def render(self, content_json: bytes) -> bytes:
        """The PDF of a document's canonical JSON, as `render_pdf` would draw it.

        A child that dies (out of memory, killed) breaks the whole pool; it is replaced and the document is
        tried once more. A document that kills its child twice raises `BrokenProcessPool`.
        """
        executor = self._executor
        try:
            return await self._submit(executor, content_json)
        except BrokenProcessPool:
            return await self._submit(self._replace(executor), content_json)

    def close(self) -> None:
        """Ends the children after what they are drawing; documents that wait are cancelled."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    async def _submit(self, executor: ProcessPoolExecutor, content_json: bytes) -> bytes:
        return await asyncio.wrap_future(executor.submit(render_pdf, content_json))

    def _replace(self, broken: ProcessPoolExecutor) -> ProcessPoolExecutor:
        """Several documents may find the same pool broken; the first of them replaces it."""
        with self._replacing:
            if self._executor is broken:
                broken.shutdown(wait=False)
                self._executor = self._start()
            return self._executor

    def _start(self) -> ProcessPoolExecutor:
        executor = ProcessPoolExecutor(
            self._processes, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_child
        )
        # A child starts when work arrives; the first document should not wait for that.
        for _ in range(self._processes):
            executor.submit(typefaces.warm_up)
        return executor


def _begin_child() -> None:
    """Ctrl-C is the parent's affair: the terminal sends it to children too, but these finish first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    typefaces.warm_up()


def _end_with_parent() -> None:
    """Waits on a pipe whose other end the kernel closes when the parent dies, even by kill -9."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
