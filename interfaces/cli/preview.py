"""`billing preview`: a document as a template draws it, marked as a sample, for whoever changes templates."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from application.caller import DEFAULT_TENANT
from application.document_policies import document_policies
from domain.documents.document_facts import Audience, DocType, Language
from domain.documents.policy import Occasion
from domain.documents.templates import NEWEST, Source, newest_template
from domain.fiscal.registry import driver_for
from domain.kernel.canonical import canonical_json
from infrastructure.rendering.pdf import TEMPLATES, render_pdf
from interfaces.cli.samples import SAMPLE_DAY, sample_content, sample_identity

_WATERMARKS: dict[str, str] = {"en": "SAMPLE", "es": "MUESTRA", "de": "MUSTER"}


def preview(
    out: Annotated[Path, typer.Option("--out", help="The PDF to write.")],
    doc_type: Annotated[DocType | None, typer.Option("--type", help="Of a sample: its type.")] = None,
    source: Annotated[Source, typer.Option(help="Of a sample: what it is about.")] = "ORDER",
    audience: Annotated[
        Audience | None, typer.Option(help="Of a sample: who it is for; else whom such documents are for.")
    ] = None,
    language: Annotated[
        Language | None, typer.Option(help="Its words; else those of the country or the content.")
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Its formats, as ISO 3166 code; else GB or the content's.")
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="Such as receipt/1; else the newest, or the content's.")
    ] = None,
    content: Annotated[
        Path | None, typer.Option(help="A document's canonical JSON, drawn instead of a sample.")
    ] = None,
    stamped: Annotated[
        bool, typer.Option("--stamped", help="Of a sample: with an authority's stamp and a chain's hash.")
    ] = False,
) -> None:
    """Draws a document as PDF under a watermark; the sample is invented.

    Example: billing preview --type SELLER_STATEMENT --language de --country DE --out statement.pdf
    """
    if country is not None and not (len(country) == 2 and country.isascii() and country.isupper()):
        raise typer.BadParameter("--country takes two capitals, such as DE.")
    try:
        if content is not None:
            drawn = _given(content, language, country, template)
        elif doc_type is not None:
            drawn = _sample(doc_type, source, audience, language, country or "GB", template, stamped=stamped)
        else:
            raise typer.BadParameter("Say which --type of sample to draw, or which --content.")
        out.write_bytes(_pdf(drawn))
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}.") from None
    except LookupError as error:
        raise typer.BadParameter(str(error.args[0])) from None
    typer.echo(f"{out}: {drawn['docType']} drawn by {drawn['templateVersion']}")


def _sample(
    doc_type: DocType,
    source: Source,
    audience: Audience | None,
    language: Language | None,
    country: str,
    template: str | None,
    *,
    stamped: bool,
) -> dict[str, Any]:
    """A sample's content. Raises `LookupError` where no template draws such a document."""
    driver = driver_for(country)
    words = language or _usual_language(country)
    version = newest_template(doc_type, source, audience or _usual_audience(doc_type), country, words)
    if template is not None and template.partition("/")[0] != version.partition("/")[0]:
        raise LookupError(f"A {doc_type} of a {source} is drawn by {version.partition('/')[0]}.")
    identity = sample_identity(doc_type, words, country, template or version, driver.version)
    return sample_content(doc_type, source, identity, stamped=stamped)


def _usual_language(country: str) -> Language:
    """The language of documents there, by the packaged policies."""
    occasion = Occasion(
        tenant=DEFAULT_TENANT,
        country_code=country,
        source="ORDER",
        doc_type="RECEIPT",
        platform_id="sample-platform",
        seller_id="sample-seller",
        buyer_type="B2C",
        currency_uom_id="EUR",
        grand_total=0,
        line_kinds=frozenset(),
        on=SAMPLE_DAY,
    )
    return document_policies().rule_on(occasion).language


def _usual_audience(doc_type: DocType) -> Audience:
    """Whom such documents are for, which a template is made for."""
    return next((row.audience for row in NEWEST if row.doc_type == doc_type), "FINANCE")


def _given(
    path: Path, language: Language | None, country: str | None, template: str | None
) -> dict[str, Any]:
    """A document's content from a file, with what was asked for instead of what it says."""
    changes = {"language": language, "countryCode": country, "templateVersion": template}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content |= {name: value for name, value in changes.items() if value is not None}
    except (ValueError, TypeError):
        raise LookupError(f"{path} is not a document's JSON.") from None
    missing = {"docType", "templateVersion", "language"} - content.keys()
    if missing:
        raise LookupError(f"{path} is not a document's JSON: it lacks {', '.join(sorted(missing))}.")
    return dict(content)


def _pdf(content: dict[str, Any]) -> bytes:
    version, doc_type = content["templateVersion"], content["docType"]
    if (doc_type, version) not in TEMPLATES:
        known = ", ".join(sorted(name for of_type, name in TEMPLATES if of_type == doc_type))
        raise LookupError(f"{version} draws no {doc_type}. Templates: {known or 'none'}.")
    try:
        return render_pdf(canonical_json(content), watermark=_WATERMARKS[content["language"]])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise LookupError(f"{version} cannot draw this content: {error!r}.") from None
