"""What the server process runs: `interfaces.asgi:create` makes the application from the settings."""

from litestar.types import ASGIApp

from infrastructure.collector import calm_collector
from infrastructure.settings import Settings
from infrastructure.telemetry import HTTP_REQUESTS, HTTP_SECONDS, configure_logging, metrics_text
from interfaces.bootstrap import build_system
from interfaces.http.app import create_app
from interfaces.http.trace import TraceMiddleware


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Counts an answered request."""
    HTTP_REQUESTS.labels(method, route, str(status)).inc()
    HTTP_SECONDS.labels(method, route).observe(seconds)


def create() -> ASGIApp:
    """The application of this process."""
    settings = Settings()
    configure_logging(settings.log_level, settings.log_format)
    application = TraceMiddleware(create_app(build_system(settings), metrics_text), observe)
    calm_collector()
    return application
