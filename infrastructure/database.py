"""Database URLs: one string in, the forms that psycopg and SQLAlchemy need out."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit


def as_service(database_url: str, role: str = "billing_service") -> str:
    """The same database, with the service's rights only, whatever the login may do besides."""
    parts = urlsplit(database_url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query["options"] = f"{query.get('options', '')} -c role={role}".strip()
    # libpq reads %20 in a URL, but takes + literally.
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def sqlalchemy_url(database_url: str) -> str:
    """The URL under SQLAlchemy's name of the psycopg driver."""
    _, _, rest = database_url.partition("://")
    return f"postgresql+psycopg://{rest}"
