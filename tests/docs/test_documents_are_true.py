"""The documents say what is: generated parts are current, and whatever they name exists."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from pydantic import BaseModel
from typer.main import get_command

from application.handlers.fiscal_profiles import profile_answer
from application.operations import OPERATIONS
from application.operations.unrouted import UNROUTED_OPERATIONS
from application.outbound import OUTBOUND_FACTS
from application.roles import ROLE_PERMISSIONS
from domain.accounts.account import AccountData
from domain.accounts.fiscal_profile import (
    FISCAL_PROFILE,
    ProfileOwner,
    ProfileRequest,
    configure_profile,
    profile_content,
)
from domain.documents.order_events import RefundData
from domain.documents.order_facts import OrderPaid, OrderRefunded
from domain.documents.order_snapshot import OrderData
from domain.documents.order_state import evolve
from domain.fiscal.tax_ids import canonical_tax_id
from domain.invoicing.lines import price_lines
from domain.invoicing.work_order import WorkOrder, WorkOrderData, require_ready
from domain.streams import REGISTRY
from infrastructure.settings import Settings
from interfaces.cli.main import app
from interfaces.http.commands.inbound import BATCH, JSON, ONE
from interfaces.http.commands.payments import PaymentRefundRequest, PaymentRequest, PaymentVoidRequest
from interfaces.http.problems import MEDIA_TYPE, STATUS_OF_CODE
from tests.docs.generated_documents import PROJECT, SECTIONS, anchor, replaced
from tests.support.facts import pay, refund

DOCUMENTS = sorted((*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")))
FOLDERS = "application|benchmarks|docs|domain|infrastructure|interfaces|projections|scripts|tests|\\.ci"
OTHER_VARIABLES = frozenset({"BILLING_TEST_DATABASE_URL"})
"""Read by the tests' own server: no setting of the service."""

MEDIA_TYPES = frozenset({ONE, BATCH, JSON, MEDIA_TYPE})

LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
ROUTE = re.compile(r"\b(GET|POST|PUT|DELETE) (/[\w/{}.-]*)")
CURL = re.compile(r"\$B(/[\w/:.$-]*)")

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT))
)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_generated_section_is_current(name: str) -> None:
    document, write = SECTIONS[name]
    text = _text(PROJECT / document)
    assert replaced(text, name, write()) == text, "run: python -m tests.docs.generated_documents"


def test_every_error_code_has_its_row_with_its_status() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d{3}) \|", _text(PROJECT / "docs/integrators.md"), re.MULTILINE)
    assert {code: int(status) for code, status in rows} == STATUS_OF_CODE
    assert len(rows) == len(STATUS_OF_CODE)


@every_document
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in LINK.findall(_prose(document)):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in _anchors(target), f"{link} leads to no heading"


@every_document
def test_every_path_that_is_named_exists(document: Path) -> None:
    for code in _code(document):
        for path in re.findall(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./+-]*)", code):
            if path not in MEDIA_TYPES:
                assert (PROJECT / path.rstrip(".")).exists(), f"there is no {path}"


@every_document
def test_every_billing_command_that_is_named_exists(document: Path) -> None:
    for code in _code(document):
        for arguments in re.findall(r"(?:^|bin/)billing ([^\n|;)]+)", code, re.MULTILINE):
            _follow(arguments.split())


@every_document
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text(PROJECT / "Makefile"), re.MULTILINE))
    for code in _code(document):
        assert set(re.findall(r"^make ([a-z-]+)", code, re.MULTILINE)) <= targets


@every_document
def test_every_variable_that_is_named_is_a_setting(document: Path) -> None:
    settings = {f"BILLING_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    named = set(re.findall(r"\bBILLING_[A-Z_]*[A-Z]\b", _text(document)))
    assert named - ROLE_PERMISSIONS.keys() - STATUS_OF_CODE.keys() <= settings


@every_document
def test_every_route_that_is_named_is_in_the_catalog(document: Path) -> None:
    templates = {(row["method"], row["path"]) for row in (operation.row() for operation in OPERATIONS)}
    for code in _code(document):
        assert {(method, path) for method, path in ROUTE.findall(code)} <= templates
        for path in CURL.findall(code):
            assert any(_fits(path, template) for _, template in templates), f"nothing answers {path}"


@every_document
def test_every_event_and_operation_that_is_named_exists(document: Path) -> None:
    known = {operation.name for operation in (*OPERATIONS, *UNROUTED_OPERATIONS)}
    known |= {event_type.name for event_type in REGISTRY.event_types()}
    rooms = {name.partition(".")[0] for name in known}
    named = {code for code in _code(document) if re.fullmatch(r"[a-z-]+\.[a-z-]+", code)}
    assert {name for name in named if name.partition(".")[0] in rooms} <= known


def test_every_outbound_fact_is_told_of() -> None:
    section = _text(PROJECT / "docs/integrators.md").partition("## Receiving webhooks")[2]
    types = section.partition("The types are")[2].partition(". ")[0]
    assert set(re.findall(r"`([a-z]+\.[A-Za-z]+)`", types)) == OUTBOUND_FACTS.keys()


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("invoices/{invoiceId}/payments", PaymentRequest),
        ("payments/{billingPaymentId}/void", PaymentVoidRequest),
        ("payments/{billingPaymentId}/refund", PaymentRefundRequest),
    ],
)
def test_what_a_payment_request_may_hold_is_told(path: str, model: type[BaseModel]) -> None:
    (told,) = re.findall(
        rf"^\| `POST …/{re.escape(path)}` `\{{(.*?)\}}`", _text(PROJECT / "docs/integrators.md"), re.MULTILINE
    )
    fields = [(field.alias, field.is_required()) for field in model.model_fields.values()]
    assert told == ", ".join(f"{name}" if required else f"{name}?" for name, required in fields)


def test_the_example_order_and_refund_are_consistent() -> None:
    order = OrderData.model_validate(_example("order")["data"], by_name=False)
    (paid,) = pay(None, order)
    assert isinstance(paid, OrderPaid)
    data = RefundData.model_validate(_example("refund")["data"], by_name=False)
    (refunded,) = refund(evolve(None, paid), data)
    assert isinstance(refunded, OrderRefunded) and refunded.refund.order_id == order.order_id


def test_the_example_profile_is_answered_as_it_says() -> None:
    section = _text(PROJECT / "docs/integrators.md").partition("## Fiscal profiles")[2]
    (_, sent), (_, answered) = FENCE.findall(section)[:2]
    body, shown = json.loads(sent.partition("--data '")[2].rpartition("'")[0]), json.loads(answered)
    owner = ProfileOwner.model_validate(
        {name: shown[name] for name in ("ownerType", "ownerId", "countryCode")}
    )
    content = profile_content(owner, ProfileRequest.model_validate(body, by_name=False))
    set_by = {"configured_by": shown["updatedBy"], "at": shown["updatedAt"]}
    (fact,) = configure_profile(None, content, **set_by)
    assert profile_answer(FISCAL_PROFILE.evolve(None, fact)) == shown


def test_the_examples_of_tax_ids_are_kept_as_they_say() -> None:
    section = _text(PROJECT / "docs/integrators.md").partition("**Tax ids**")[2]
    rows = re.findall(r"^\| ([A-Z]{2})\b[^|]*\|[^|]*\| `([^`]+)` \| `([^`]+)` \|$", section, re.MULTILINE)
    assert len(rows) == 7
    for country_code, written, kept in rows:
        assert canonical_tax_id(country_code, written, for_buyer=True) == kept


def test_the_example_work_order_can_be_invoiced() -> None:
    told, reported = _example("work-order")
    account = AccountData.model_validate(told["data"], by_name=False)
    work_order = WorkOrderData.model_validate(reported["data"], by_name=False)
    assert work_order.customer_account_id == account.customer_account_id
    assert price_lines(work_order.billable_scope_snapshot)
    assert require_ready(WorkOrder(data=work_order, snapshot_fingerprint=""))


def test_every_decision_is_listed_in_order() -> None:
    folder = PROJECT / "docs/decisions"
    listed = re.findall(r"^\| \[(\d{4})\]\((\1-[\w-]+\.md)\)", _text(folder / "README.md"), re.MULTILINE)
    assert [name for _, name in listed] == sorted(path.name for path in folder.glob("0*.md"))
    assert [int(number) for number, _ in listed] == list(range(1, len(listed) + 1))
    for _, name in listed:
        text = _text(folder / name)
        assert text.startswith(f"# {name[:4]} ")
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences"))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _prose(document: Path) -> str:
    return FENCE.sub("", _text(document))


def _code(document: Path) -> list[str]:
    """Code spans, and the fenced blocks that hold commands."""
    blocks = [body for language, body in FENCE.findall(_text(document)) if language == "sh"]
    return [re.sub(r"\s+", " ", span) for span in CODE.findall(_prose(document))] + blocks


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _prose(document), re.MULTILINE)
    return {anchor(heading) for heading in headings}


def _follow(words: list[str]) -> None:
    """Walks the words of a command line as far as they are commands and options; all of these must exist."""
    command = get_command(app)
    while words and (commands := getattr(command, "commands", None)) is not None:
        if words[0] in {"--help", "COMMAND"}:
            return
        if words[0].startswith("--"):
            break
        assert words[0] in commands, f"there is no command {words[0]}"
        command = commands[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    for word in words:
        assert not word.startswith("--") or word in options, f"there is no option {word}"


def _fits(path: str, template: str) -> bool:
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path) is not None


def _example(name: str) -> Any:
    return json.loads(_text(PROJECT / f"docs/examples/{name}.json"))
