"""A buyer asks to be forgotten: what may go is gone at once and everywhere, what the law wants stays."""

import contextlib
import json
import signal
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from projections.source_text import SOURCE_TEXT_TABLE
from tests.support.account_facts import ACCOUNT_ID, account_data, rules_request
from tests.support.billed import billed, corrected
from tests.support.decisions import rule
from tests.support.erasing import billing, erase, is_nowhere, is_told, keys_of, law_lets_go, time_comes
from tests.support.fiscal_profile_facts import profile_request
from tests.support.house import House, all_items, by_platform, cloud_event, eventually, paid
from tests.support.problems import problem
from tests.support.work_orders import a_line, an_account

pytestmark = pytest.mark.slow

BUYER = "buyer-erased"
NAME = "Wilhelmina Quackenbush"
EMAIL = "wilhelmina@example.org"
STREET = "7 Ropewalk Passage"


def _order(order_id: str, buyer_id: str = BUYER) -> dict[str, Any]:
    parties = by_platform("platform-erasing", buyer_id=buyer_id)
    parties["buyer"] |= {"legalName": NAME, "email": EMAIL, "address": {"line1": STREET, "city": "Hull"}}
    return paid(order_id, orderPartySnapshot=parties)


def _found(house: House, q: str) -> int:
    with house.client("AUDITOR") as auditor:
        return len(all_items(auditor, "/v1/documents", q=q))


def _leave_an_older_read_model(house: House) -> None:
    """As a version before this one would, which nobody folds any more."""
    with house.database() as connection:
        connection.execute("CREATE TABLE readmodel.order_text_v1 (order_id text, words text)")
        connection.execute(
            "INSERT INTO readmodel.order_text_v1 VALUES ('erasing-1', %s)", (f"{NAME} {EMAIL} {STREET}",)
        )


@rule("PII-17")
def test_a_buyer_is_forgotten_in_two_steps(house: House) -> None:
    order_id, subject = "erasing-1", f"party:{BUYER}"
    _leave_an_older_read_model(house)
    document = house.issued(_order(order_id))
    path = f"/v1/documents/{document['documentId']}"
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        before = auditor.get(f"/v1/audit/streams/order/{order_id}").json()
    assert EMAIL in json.dumps(before) and NAME in json.dumps(before)
    assert _found(house, NAME) == 1

    keys = erase(house, subject)
    assert {key["retentionClass"]: bool(key["erasedAt"]) for key in keys} == {
        "CONTACT": True,
        "FISCAL": False,
    }
    assert next(key["eraseAfter"] for key in keys if key["retentionClass"] == "FISCAL") > "2036"
    with house.client("AUDITOR") as auditor:
        then = auditor.get(f"/v1/audit/streams/order/{order_id}").json()
        assert EMAIL not in json.dumps(then) and NAME in json.dumps(then)
        told = [event for event in then["events"] if event["type"] == "order.personal-data-erased"]
        assert [(event["actor"], event["data"]["retentionClass"]) for event in told] == [("dpo", "CONTACT")]
        assert auditor.get(f"{path}/verify").json()["valid"]

    law_lets_go(house, subject)
    with house.client("AUDITOR") as auditor:
        last = auditor.get(f"/v1/audit/streams/order/{order_id}").json()
        assert NAME not in json.dumps(last) and STREET not in json.dumps(last)
        assert last["state"]["order"]["orderPartySnapshot"]["buyer"]["legalName"] == "[erased]"
        assert (
            last["state"]["order"]["orderFinancialSnapshot"]
            == (before["state"]["order"]["orderFinancialSnapshot"])
        )
        assert [event["leafHash"] for event in last["events"][:1]] == [before["events"][0]["leafHash"]]
        verification = auditor.get(f"{path}/verify").json()
        assert verification["valid"]
        assert {
            check["name"] for check in verification["checks"] if check["detail"].startswith("ERASED")
        } >= {
            "pdf-hash",
            "json-hash",
            "pdf-re-render",
            "json-from-ledger",
        }
        assert auditor.get(path).json()["number"] == document["number"]
    assert _found(house, NAME) == 0
    assert _found(house, "Enamel kettle") >= 1
    is_nowhere(house, NAME, EMAIL, STREET)


def _kill_a_rebuild_that_knows(house: House, name: str) -> None:
    """Kills it when it has folded everything and waits for the live read model, which is held meanwhile."""
    side = sql.Identifier("readmodel", f"{SOURCE_TEXT_TABLE.name}__rebuild")

    def knows() -> bool:
        with house.database() as connection, contextlib.suppress(psycopg.errors.UndefinedTable):
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} AS t").format(side)).fetchall()
            return name.casefold() in str(rows)
        return False

    with house.database() as connection, connection.transaction():
        connection.execute("SELECT FROM readmodel.tracking WHERE projection = 'documents' FOR UPDATE")
        rebuild = house.spawn(
            ["-m", "interfaces.cli.main", "rebuild", "--projection", "documents"], house.port
        )
        eventually(knows)
        rebuild.kill()
        assert rebuild.wait() == -signal.SIGKILL
        assert knows()


def test_what_a_killed_rebuild_knew_is_forgotten(house: House) -> None:
    subject, name = "party:buyer-rebuilt", "Ottoline Featherstonehaugh"
    order = _order("erasing-8", "buyer-rebuilt")
    order["data"]["orderPartySnapshot"]["buyer"]["legalName"] = name
    house.issued(order)
    house.catch_up()
    _kill_a_rebuild_that_knows(house, name)
    erase(house, subject)
    law_lets_go(house, subject)
    is_nowhere(house, name)


def test_both_read_models_and_replay_agree_after_an_erasure(house: House) -> None:
    house.issued(_order("erasing-2", "buyer-replayed"))
    invoiced = billed(house)
    corrected(house, invoiced.invoice_id, "credit")
    house.catch_up()
    for subject in ("party:buyer-replayed", f"party:{invoiced.account['partyId']}"):
        erase(house, subject)
        law_lets_go(house, subject)
    rebuilt = billing(house, "rebuild", "--diff", "--json")
    assert rebuilt.returncode == 0, rebuilt.stdout
    assert billing(house, "verify", "ledger").returncode == 0


def test_where_a_document_was_taken_from_is_forgotten(house: House) -> None:
    document_id = house.issued(paid("erasing-3"))["documentId"]
    with house.client("BUYER", sub="wanda", buyer_id="buyer-17") as buyer, house.client() as anybody:
        answer = buyer.post(f"/v1/documents/{document_id}/download-token", json={})
        device = {"User-Agent": "Wanda's slate"}
        assert anybody.get(answer.json()["url"], headers=device).status_code == 200
    house.catch_up()
    path = f"/v1/documents/{document_id}/events"
    with house.client("AUDITOR") as auditor:
        assert _download(auditor, path)["device"] == "Wanda's slate"
        erase(house, "user:wanda")
        downloaded = _download(auditor, path)
    assert downloaded["actorId"] == "wanda"
    assert (downloaded["ip"], downloaded["device"]) == (None, None)


def _download(auditor: httpx.Client, path: str) -> dict[str, Any]:
    (downloaded,) = (
        event for event in auditor.get(path).json()["items"] if event["eventType"] == "DOWNLOADED"
    )
    return dict(downloaded)


def test_whom_an_invoice_was_for_is_forgotten_when_the_law_lets_go(house: House) -> None:
    name, email, street = "Ermintrude Vandersloot", "ermintrude@example.org", "12 Cooperage Wharf"
    account = an_account(
        displayName=name,
        billingContact={"email": email},
        billingAddress={"line1": street, "city": "Cádiz", "countryCode": "ES"},
    )
    subject, line = f"party:{account['partyId']}", "Gasket of whom we forget"
    invoice_id = billed(house, account, lines=[a_line(description=line)]).invoice_id
    stream_path = f"/v1/audit/streams/invoice/{invoice_id}"
    credit_note = house.wait_for_issue(corrected(house, invoice_id, "credit")["documentId"])
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        before = auditor.get(stream_path).json()
        detail = auditor.get(f"/v1/billing/invoices/{invoice_id}").json()
    documents = [house.wait_for_issue(each["documentId"]) for each in detail["documents"]]
    assert credit_note in documents and len(documents) == 2
    assert name in json.dumps(before) and email in json.dumps(before)
    assert _found(house, name) == _found(house, line) == 2

    keys = {key["retentionClass"]: key for key in erase(house, subject)}
    assert (bool(keys["CONTACT"]["erasedAt"]), bool(keys["FISCAL"]["erasedAt"])) == (True, False)
    until = max(each["retention"]["until"] for each in documents)
    assert keys["FISCAL"]["eraseAfter"][:10] == until
    eventually(lambda: is_told(house, subject, "CONTACT"))
    with house.client("AUDITOR") as auditor:
        then = auditor.get(stream_path).json()
        assert email not in json.dumps(then) and name in json.dumps(then)
        assert then["events"][-1]["type"] == "invoice.personal-data-erased"
        for each in documents:
            assert auditor.get(f"/v1/documents/{each['documentId']}/verify").json()["valid"]

    # As if the credit had come after the key was deferred: when its time comes, the law still wants it.
    time_comes(house, subject)
    eventually(
        lambda: until in [key["eraseAfter"][:10] for key in keys_of(house, subject) if not key["erasedAt"]]
    )
    with house.client("AUDITOR") as auditor:
        assert name in json.dumps(auditor.get(stream_path).json())

    law_lets_go(house, subject)
    with house.client("AUDITOR") as auditor:
        last = auditor.get(stream_path).json()
        assert last["state"]["issued"]["billTo"]["name"] == "[erased]"
        assert last["state"]["drafted"] == before["state"]["drafted"], "amounts stay"
        assert auditor.get(f"/v1/billing/invoices/{invoice_id}").json() == detail
        for each in documents:
            path = f"/v1/documents/{each['documentId']}"
            assert auditor.get(path).json() == each
            verification = auditor.get(f"{path}/verify").json()
            assert verification["valid"], verification
            erased = {check["name"] for check in verification["checks"] if "ERASED" in check["detail"]}
            assert erased == {"pdf-hash", "json-hash", "pdf-re-render", "json-from-ledger"}
            token = auditor.post(f"{path}/download-token", json={"format": "PDF"}).json()
            assert auditor.get(token["url"]).status_code == 404
    assert (_found(house, name), _found(house, line)) == (0, 2)
    is_nowhere(house, name, email, street)


def test_who_comes_back_is_known_again_and_forgotten_again(house: House) -> None:
    subject = "party:buyer-back"
    house.issued(_order("erasing-4", "buyer-back"))
    first = erase(house, subject)
    house.issued(_order("erasing-5", "buyer-back"))
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        assert EMAIL in json.dumps(auditor.get("/v1/audit/streams/order/erasing-5").json())
        assert EMAIL not in json.dumps(auditor.get("/v1/audit/streams/order/erasing-4").json())
    second = erase(house, subject)
    assert len(second) > len(first)
    assert len([key for key in second if key["retentionClass"] == "CONTACT" and key["erasedAt"]]) == 2


def test_a_subject_of_whom_nothing_is_known_is_a_finding(house: House) -> None:
    asked = billing(house, "keys", "erase", "party:nobody", "--by", "dpo", "--reason", "request 2")
    assert asked.returncode == 1
    assert "Nothing personal" in asked.stdout


def test_master_keys_rotate_while_the_house_is_running(house: House) -> None:
    house.issued(_order("erasing-6", "buyer-rotated"))
    rotated = billing(house, "keys", "rotate", "subjects", "--json")
    assert rotated.returncode == 0, rotated.stderr
    assert json.loads(rotated.stdout)["rewrapped"] > 0
    assert house.issued(_order("erasing-7", "buyer-rotated"))["status"] == "ISSUED"
    assert json.loads(billing(house, "keys", "rewrap", "--json").stdout)["rewrapped"] == 0
    assert billing(house, "keys").returncode == 0


def test_an_account_is_forgotten_and_its_rules_stay(house: House) -> None:
    party_id = "party-erased"
    told = cloud_event(
        "crm.ACCOUNT_UPDATED", account_data(ACCOUNT_ID, party_id, displayName=NAME), "crm-erased"
    )
    assert house.post(told).json()["results"][0]["outcome"] == "ACCEPTED"
    with house.client("BILLING_MANAGER") as manager:
        rules = manager.put(f"/v1/billing/rules/{party_id}", json=rules_request(partyId=party_id)).json()
    house.catch_up()

    keys = erase(house, f"party:{party_id}")
    assert {key["retentionClass"]: bool(key["erasedAt"]) for key in keys} == {"CONTACT": True, "FISCAL": True}
    eventually(lambda: is_told(house, f"party:{party_id}", "CONTACT", "FISCAL"))
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        account = auditor.get(f"/v1/audit/streams/account/{ACCOUNT_ID}").json()
        for personal in (NAME, "marigold@example.org", "Pier Road", "GB123456789"):
            assert personal not in json.dumps(account)
        assert account["state"]["data"]["displayName"] == "[erased]"
        assert account["state"]["data"]["creditLimit"] == 500_000
        assert auditor.get(f"/v1/billing/rules/{party_id}").json() == rules

    again = house.post({**told, "id": "crm-erased-again"})
    assert again.json()["results"][0]["outcome"] == "ACCEPTED", "CRM still knows the party, and says so"


@rule("PII-17")
def test_a_fiscal_profile_is_forgotten_and_so_is_what_a_repeat_would_be_answered(house: House) -> None:
    subject, key = "party:owner-erased", {"Idempotency-Key": "profile erased"}
    path = "/v1/fiscal-profiles/BUYER/owner-erased?countryCode=GB"
    name, email, street = "Hepzibah Winterbourne", "hepzibah@example.org", "9 Sailmaker Row"
    body = profile_request(
        legalName=name,
        address={"line1": street, "city": "Hull"},
        taxId="GB 888 777",
        invoicePreferences={"type": "B2B", "receptorEmail": email, "note": f"for {name}"},
    )
    with house.client("FINANCE_ADMIN") as finance:
        first = finance.put(path, json=body, headers=key)
        assert finance.put(path, json=body, headers=key).content == first.content
        house.catch_up()

        keys = erase(house, subject)
        assert {one["retentionClass"] for one in keys if one["erasedAt"]} == {"CONTACT", "FISCAL"}
        eventually(lambda: is_told(house, subject, "CONTACT", "FISCAL"))
        left = finance.get(path)
        assert (left.json()["legalName"], left.json()["address"], left.json()["taxId"]) == (None, None, None)
        assert left.json()["invoicePreferences"] == {"type": "B2B"}
        of_a_business = ["legalName", "taxId", "address.line1", "address.city", "address.countryCode"]
        assert left.json()["missingFields"] == of_a_business
        assert left.headers["etag"] != first.headers["etag"]
        repeated = finance.put(path, json=body, headers=key)
        as_of_then = finance.get(f"{path}&asOfPosition={first.headers['x-ledger-position']}")
        for answer in (left, repeated, as_of_then):
            assert not any(secret in answer.text for secret in (name, email, street, "888 777"))
        assert (repeated.status_code, repeated.headers["idempotent-replayed"]) == (201, "true")
        is_nowhere(house, name, email, street)

        problem(finance.put(path, json=body, headers={"If-Match": '"1"'}), 409, "STALE_ETAG")
        back = finance.put(path, json=body)
        assert (back.status_code, back.json()["legalName"]) == (200, name)
        assert back.json()["missingFields"] == first.json()["missingFields"]
