"""Rendering in the calling process, for processes that do little else."""

from infrastructure.rendering.pdf import render_pdf


class DirectRenderer:
    """`application.ports.Renderer` without a pool: drawing holds the event loop up for milliseconds."""

    async def render(self, content_json: bytes) -> bytes:
        """The PDF of a document's canonical JSON."""
        return render_pdf(content_json)

    def close(self) -> None:
        """Nothing is held."""
