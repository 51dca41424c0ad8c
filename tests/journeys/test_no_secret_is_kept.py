"""Secrets are sent to every operation, in every place, and then looked for in everything that was written.

What was written: the lines that every process logged, PostgreSQL's log, each column of each table, the files
of vault, e-mail and post, the metrics, the audit trail as auditors read it, and every answer. The operations
and their places are those of the OpenAPI document, so a new operation is asked by itself (S2; BILL-DEC-015).
"""

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import httpx
import pytest

from application.operations import OPERATIONS
from tests.support.decisions import decision, rule
from tests.support.garage import Garage
from tests.support.house import ONE_EVENT, House, all_items, paid
from tests.support.openapi_examples import Example, Seeded
from tests.support.planting import (
    PLACES_OF_NOBODY,
    Kind,
    Place,
    Planted,
    Request,
    a_value,
    is_secret,
    places,
    request_of,
    with_planted,
)
from tests.support.work_orders import account_updated, an_account

pytestmark = pytest.mark.slow

SIGNED = ("SUPER_ADMIN", "SYSTEM")
S1_MOUNT = "/billing/"
"""The same handlers once more."""

INBOUND = "inbound.receive-events"
OF_PARTIES = (("legalName",), ("email",), ("address", "line1"), ("address", "city"))
"""What orders tell of who takes part in them."""

REDACTED_TEXT = frozenset({"legalName", "address", "taxId", "invoicePreferences"})
"""What the catalog's rows name as personal, among what bodies hold."""

FOUND_BY_NAME = {"readmodel.order_text"}
"""Read models that hold names, because documents are found by them (contract §6)."""


@dataclass
class Sent:
    """All that was sent and must not be found, and what answers said."""

    planted: list[Planted] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    taken: list[Planted] = field(default_factory=list)
    told_of_cards: set[str] = field(default_factory=set)

    def plant(self, kind: Kind, operation: str, place: Place) -> Planted:
        """A value for a place, from now on looked for."""
        planted = a_value(kind, operation, place)
        self.planted.append(planted)
        return planted

    def asked(self, request: httpx.Request, body: Any) -> None:
        """Keeps the real secrets of a request: its bearer token, its PINs, passwords and tokens."""
        self._keep("bearer token", request.headers.get("authorization", ""))
        self._keep("download token", request.url.params.get("token", ""))
        self._keep_of(body)

    def heard(self, what: str, answer: httpx.Response) -> None:
        """Keeps the secrets that an answer hands out, and what errors say."""
        if answer.is_error:
            self.refused.append((what, answer.text))
        elif "json" in answer.headers.get("content-type", ""):
            self._keep_of(answer.json())

    def _keep_of(self, body: Any) -> None:
        if isinstance(body, dict):
            for name, held in body.items():
                if is_secret(name) and isinstance(held, str):
                    self._keep(name, held)
                else:
                    self._keep_of(held)
        elif isinstance(body, list):
            for held in body:
                self._keep_of(held)

    def _keep(self, name: str, value: str) -> None:
        if len(value) >= 6:
            # Of a token its signature is enough: what it says is no secret.
            self.secrets[value[-43:]] = name


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of its own, so that whatever is found in it came from here."""
    with House(tmp_path_factory.mktemp("kept") / "data") as house:
        yield house


@pytest.fixture(scope="module")
def sent(house: House) -> Sent:
    """Everything that was sent, once every process has written what it had to write."""
    sent = Sent()
    with ExitStack() as stack:
        garage = stack.enter_context(Garage(house))
        seeded = Seeded(garage)
        client = stack.enter_context(house.client(*SIGNED))
        document = client.get("/schema/openapi.json").json()
        examples = seeded.examples()
        for path, item in document["paths"].items():
            for method, operation in item.items() if not path.startswith(S1_MOUNT) else ():
                example = examples.get(operation["operationId"], Example())
                _ask_everywhere(client, sent, path, method, operation, example)
        _tell_upstream_facts(house, client, sent)
        _ask_malformed(client, sent)
    house.catch_up()
    return sent


def test_every_operation_was_asked(sent: Sent) -> None:
    asked = {planted.operation for planted in sent.planted}
    assert {operation.openapi_id or operation.name for operation in OPERATIONS} <= asked


@rule("PII-6")
@rule("PII-8")
@decision("S2", "Card data is in no log")
def test_no_log_metric_or_error_tells_what_was_sent(house: House, sent: Sent) -> None:
    with house.client() as anybody:
        metrics = anybody.get("/metrics").text
    where = {"log": _logs(house), "metrics": metrics}
    found = [
        (place, planted) for place, text in where.items() for planted in sent.planted if planted.value in text
    ]
    found += [
        (what, planted) for what, text in sent.refused for planted in sent.planted if planted.value in text
    ]
    assert not found
    tokens = [
        (place, name)
        for place, text in where.items()
        for value, name in sent.secrets.items()
        if value in text
    ]
    assert not tokens
    assert "billing_http_requests_total" in metrics and '"event":' in _logs(house).replace(" ", "")


@rule("PII-9")
@decision("S2", "Card data is kept nowhere")
def test_no_card_number_and_no_secret_is_kept(house: House, sent: Sent) -> None:
    hidden = [planted for planted in sent.planted if planted.is_hidden]
    assert {planted.kind for planted in hidden} == {"card", "secret"}
    with house.client("AUDITOR") as auditor:
        audit = json.dumps(all_items(auditor, "/v1/audit/events"))
    assert "invoice.issued" in audit
    kept = {**dict(_rows(house)), "audit": audit, **dict(_files(house))}
    assert not [
        (where, planted) for where, text in kept.items() for planted in hidden if planted.value in text
    ]
    # Whoever reads a link in an e-mail may follow it.
    told = {where: text for where, text in kept.items() if not where.startswith("mail/")}
    assert not [
        (where, name) for where, text in told.items() for value, name in sent.secrets.items() if value in text
    ]


@rule("PII-12")
def test_what_is_personal_is_sealed_and_only_what_searches_documents_reads_it(
    house: House, sent: Sent
) -> None:
    personal = [planted for planted in sent.planted if planted.kind == "personal" and _is_redacted(planted)]
    assert personal
    shown = {
        where
        for where, text in (*_rows(house), *_files(house))
        for planted in personal
        if planted.value in text and not where.startswith(("mail/", "post/"))
    }
    assert {where.rpartition("_v")[0] for where in shown} == FOUND_BY_NAME


@rule("PII-1")
def test_a_card_number_is_refused_at_the_door_as_the_catalog_says(sent: Sent) -> None:
    assert not sent.taken
    declared = {
        operation.openapi_id or operation.name
        for operation in OPERATIONS
        if "CARD_DATA_REFUSED" in operation.errors
    }
    assert sent.told_of_cards == declared


def _ask_everywhere(
    client: httpx.Client, sent: Sent, path: str, method: str, operation: dict[str, Any], example: Example
) -> None:
    """The example itself, then for each kind of value a request a place, and one for all the others."""
    name = operation["operationId"]
    request = request_of(operation, path, method, example)
    _send(client, sent, f"{name} example", request)
    for kind in get_args(Kind):
        strewn = _under_a_key(request)
        for place in PLACES_OF_NOBODY:
            strewn = with_planted(strewn, path, sent.plant(kind, name, place))
        _send(client, sent, f"{name} everywhere else {kind}", strewn)
        for place in places(operation, request):
            planted = sent.plant(kind, name, place)
            asked = with_planted(_under_a_key(request), path, planted)
            answer = _send(client, sent, f"{name} {place} {kind}", asked)
            _hold_to_the_door(sent, planted, answer)


def _hold_to_the_door(sent: Sent, planted: Planted, answer: httpx.Response) -> None:
    """No body with a card's number in it is taken, but where an id stands; and the catalog says so.

    Of an event's envelope nothing is kept but ids, so what stands beside them does not matter.
    """
    if planted.kind != "card" or planted.place[0] != "body":
        return
    if answer.is_success and planted.is_hidden and planted.operation != INBOUND:
        sent.taken.append(planted)
    if answer.is_error and answer.json()["code"] == "CARD_DATA_REFUSED":
        sent.told_of_cards.add(planted.operation)


def _under_a_key(request: Request) -> Request:
    return replace(request, headers={**request.headers, "Idempotency-Key": f"key-{uuid4()}"})


def _send(client: httpx.Client, sent: Sent, what: str, request: Request) -> httpx.Response:
    headers = {**request.headers}
    content = None
    if request.media_type is not None:
        headers["Content-Type"], content = request.media_type, json.dumps(request.body)
    answer = client.request(request.method, request.path, content=content, headers=headers)
    sent.asked(answer.request, request.body)
    sent.heard(what, answer)
    return answer


def _tell_upstream_facts(house: House, client: httpx.Client, sent: Sent) -> None:
    """Upstream's free texts with card numbers are refused; its parties' data is taken, sealed and shown."""
    for place in (("displayName",), ("billingAddress", "line1"), ("payment", "cardNumber")):
        refused = _told(client, sent, account_updated(an_account()), "card", place)
        assert refused.status_code == 400, refused.text
        assert refused.json()["code"] == "CARD_DATA_REFUSED"
        sent.told_of_cards.add(INBOUND)
    for place in (("displayName",), ("billingAddress", "line1"), ("billingContact", "email"), ("taxId",)):
        taken = _told(client, sent, account_updated(an_account()), "personal", place)
        assert taken.status_code == 200, taken.text
    for party, (*outer, name) in itertools.product(("buyer", "seller"), OF_PARTIES):
        order = paid(f"order-{uuid4()}")
        place = ("orderPartySnapshot", party, *outer, name)
        taken = _told(client, sent, order, "personal", place)
        assert taken.is_success, taken.text
        house.wait_for_issue(taken.json()["results"][0]["documents"][0]["documentId"])


def _told(
    client: httpx.Client, sent: Sent, event: dict[str, Any], kind: Kind, place: Place
) -> httpx.Response:
    planted = sent.plant(kind, INBOUND, ("body", "data", *place))
    request = Request("POST", "/v1/inbound/events", {}, event, ONE_EVENT)
    return _send(client, sent, f"{INBOUND} {place} {kind}", with_planted(request, "", planted))


def _ask_malformed(client: httpx.Client, sent: Sent) -> None:
    """What cannot be read at all is answered without being quoted."""
    for row in OPERATIONS:
        if row.method == "GET":
            continue
        for broken in ('{{"note": "{}"', '["{}"]'):
            planted = sent.plant("card", row.openapi_id or row.name, ("body", "note"))
            path = row.row()["path"].replace("{", "").replace("}", "")
            headers = {"Content-Type": "application/json", "Idempotency-Key": f"key-{uuid4()}"}
            answer = client.request(row.method, path, content=broken.format(planted.value), headers=headers)
            sent.heard(f"{row.name} malformed", answer)


def _is_redacted(planted: Planted) -> bool:
    """Whether the catalog's row names it as personal."""
    of_fact = planted.operation == INBOUND and planted.place[:2] == ("body", "data")
    return of_fact or not REDACTED_TEXT.isdisjoint(map(str, planted.place))


def _logs(house: House) -> str:
    """Every line that a process of the house wrote, PostgreSQL's own included."""
    paths = [house.log_path, *house.data_dir.rglob("*.log")]
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in paths)


def _rows(house: House) -> Iterator[tuple[str, str]]:
    """Every table with the text of all its columns, bytes as they are."""
    with house.database() as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()
            yield table, "\n".join(_as_text(value) for row in rows for value in row)


def _as_text(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def _files(house: House) -> Iterator[tuple[str, str]]:
    """Every file of vault, mail and post, and the metrics on disk."""
    for folder in ("vault", "mail", "post", "metrics"):
        for path in (house.data_dir / folder).rglob("*"):
            if path.is_file():
                yield _name(house.data_dir, path), path.read_bytes().decode("latin-1")


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
