"""Rendering in the calling process, for processes that do little else."""

import asyncio

from infrastructure.rendering.pdf import render_pdf


class DirectRenderer:
    """`application.ports.Renderer` without a pool: each document holds the event loop up for milliseconds."""

    async def render(self, content_json: bytes) -> bytes:
        """The PDF of a document's canonical JSON."""
        pdf = render_pdf(content_json)
        # Whoever draws many in a row lets everything else have its turn in between.
        await asyncio.sleep(0)
        return pdf

    def close(self) -> None:
        """Nothing is held."""
