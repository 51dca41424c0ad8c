"""Loaders written by hand for each projection: read events, `json.loads`, COPY rows into a twin table.

It folds everything in memory, keeps no position and can neither stop halfway nor go on: as fast as it gets.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from benchmarks.references.copied_payments import load_ap_payment_due, load_bill, load_payment
from benchmarks.references.ledger_rows import Event, Tables
from domain.documents.access import access_stream
from domain.documents.delivery import first_delivery_id
from domain.documents.order_facts import OrderPaid
from domain.fiscal.registry import driver_for
from domain.kernel.streams import StreamId
from infrastructure.eventstore.sealing import OpeningKeys, unseal
from projections.accounts import ACCOUNT_TABLE, NAME_TABLE
from projections.deliveries import DELIVERY_TABLE
from projections.document_events import DOCUMENT_EVENT_TABLE
from projections.documents import DOCUMENT_TABLE
from projections.invoice_artifacts import INVOICE_ARTIFACT_TABLE
from projections.invoices import INVOICE_TABLE
from projections.notifications import NOTIFICATION_TABLE
from projections.number_series import NUMBER_TABLE, SERIES_TABLE
from projections.projection import Projection
from projections.source_text import SOURCE_TEXT_TABLE, marks_of, searchable
from projections.subject_streams import SUBJECT_STREAM_TABLE
from projections.tasks import TASK_TABLE

_EVENTS = """
SELECT position, stream_type, stream_id, version, name, recorded_at, actor, role, state FROM ledger.event
WHERE name = ANY(%s) ORDER BY position
"""


def copy_projection(connection: psycopg.Connection[Any], projection: Projection, keys: OpeningKeys) -> None:
    """Loads the twins (`bench.<table>`) of a projection's tables anew; `keys` open names in orders."""
    tables: Tables = {table.name: {} for table in projection.tables}
    load = LOADERS[projection.name]
    with connection.transaction():
        with connection.cursor("events") as cursor:
            cursor.itersize = 5_000
            cursor.execute(_EVENTS, (sorted(projection.event_names),))
            for *columns, state in cursor:
                event = Event._make((*columns, json.loads(state)))
                if SOURCE_TEXT_TABLE.name in tables and event.name == "order.paid-in-escrow":
                    unseal(event.data, OrderPaid, StreamId(event.stream_type, event.stream_id), keys)
                load(tables, event)
        for table, rows in tables.items():
            _copy(connection, table, rows.values())


def _copy(connection: psycopg.Connection[Any], table: str, rows: Iterable[dict[str, Any]]) -> None:
    twin = sql.Identifier("bench", table)
    connection.execute("CREATE SCHEMA IF NOT EXISTS bench")
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(twin))
    live = sql.Identifier("readmodel", table)
    connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(twin, live))
    columns: list[str] = []
    for row in rows:
        columns = list(row)
        break
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(twin, names)
    if columns:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([_written(row[name]) for name in columns])


def _written(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


def _load_document(tables: Tables, event: Event) -> None:
    data = event.data
    if event.name == "order.paid-in-escrow":
        _load_source_text(tables, event)
        return
    documents = tables[DOCUMENT_TABLE.name]
    if event.name == "document.drafted":
        row = documents[event.stream_id] = _drafted(event)
        text = tables[SOURCE_TEXT_TABLE.name].get(row["source_stream"])
        if text is not None:
            marks = marks_of(event.position, row["country_code"], row["seller_id"])
            text["marks"] += [mark for mark in marks if mark not in text["marks"]]
        return
    row = documents[event.stream_id]
    row["stream_version"] = event.version
    if event.name == "document.numbered":
        for column, field in (("series_id", "seriesId"), ("number", "number"), ("issue_date", "issueDate")):
            row[column] = data[field]
        row["chain"] = json.dumps(data["chain"]) if "chain" in data else None
        row["issued_at"] = row["retry_at"] = data["issuedAt"]
    elif event.name == "document.issued":
        row["status"], row["issued"], row["retry_at"], row["failure"] = "ISSUED", json.dumps(data), None, None
    else:
        row["retry_at"], row["failure"] = data.get("retryAt"), json.dumps(data)


def _drafted(event: Event) -> dict[str, Any]:
    data = event.data
    source, content = data["sourceRef"], data["contentRef"]
    return {
        "document_id": event.stream_id,
        "document_key": data["documentKey"],
        "document_version": data["documentVersion"],
        "stream_version": event.version,
        "source_type": source["type"],
        "source_id": source["id"],
        "source_stream": f"{content['streamType']}/{content['streamId']}",
        "doc_type": data["docType"],
        "status": "DRAFT",
        "country_code": data["countryCode"],
        "issuer_entity_id": data["issuerEntityId"],
        "buyer_id": data["buyerId"],
        "seller_id": data["sellerId"],
        "audience": data["audience"],
        "language": data["language"],
        "currency_uom_id": data["currencyUomId"],
        "totals": json.dumps(data["totals"]),
        "template_version": data["templateVersion"],
        "driver": data["driver"],
        "driver_version": data["driverVersion"],
        **dict.fromkeys(("series_id", "number", "issued_at", "issue_date", "chain", "stamp")),
        **dict.fromkeys(("issued", "retry_at", "failure", "blocked_by", "blocked_position")),
        "linked_documents": "[]",
        **dict.fromkeys(("replaces_document_id", "replaced_by_document_id")),
        "drafted_position": event.position,
    }


def _load_source_text(tables: Tables, event: Event) -> None:
    order = event.data["order"]
    parties, lines = order["orderPartySnapshot"], order["orderFinancialSnapshot"]["lines"]
    present = [parties[party] for party in ("buyer", "seller", "platform")]
    names = [[f"party:{party['partyId']}", party["legalName"]] for party in present]
    texts = [line["description"] for line in lines] + [line.get("sku", "") for line in lines]
    words = dict.fromkeys(text for text in texts if text.strip())
    text = "\n".join((*(name for _, name in names), order["orderId"], *words))
    source_stream = f"order/{event.stream_id}"
    tables[SOURCE_TEXT_TABLE.name][source_stream] = {
        "source_stream": source_stream,
        "names": json.dumps(names),
        "search_text": searchable(text),
        "marks": [],
    }


def _load_timeline(tables: Tables, event: Event) -> None:
    data = event.data
    row: dict[str, Any] = {
        "position": event.position,
        "document_id": event.stream_id,
        "actor_id": event.actor,
        "actor_role": event.role,
        "timestamp_utc": event.recorded_at,
    }
    if event.name == "document.issued":
        seal = data["seal"]
        metadata = {"sha256Pdf": seal["sha256Pdf"], "sha256Json": seal["sha256Json"]}
        row |= {"event_type": "ISSUED", "metadata": json.dumps(metadata)}
    elif event.name == "document.issue-failed":
        row |= {"event_type": "ISSUE_FAILED", "metadata": json.dumps(data)}
    else:
        row |= {"event_type": "DOWNLOADED", "metadata": json.dumps({"format": data["fileFormat"]})}
        row["document_id"] = data["documentId"]
    tables[DOCUMENT_EVENT_TABLE.name][event.position] = row


def _load_account(tables: Tables, event: Event) -> None:
    accounts, names = tables[ACCOUNT_TABLE.name], tables[NAME_TABLE.name]
    if event.name == "account.aliased":
        accounts.pop(event.stream_id, None)
        names[event.stream_id] = {"name": event.stream_id, "account_id": event.data["accountId"]}
        return
    party_id = event.data.get("account", event.data)["partyId"]
    accounts[event.stream_id] = {"account_id": event.stream_id, "party_id": party_id}
    for name in (event.stream_id, party_id):
        names[name] = {"name": name, "account_id": event.stream_id}


def _load_invoice(tables: Tables, event: Event) -> None:
    invoices, data = tables[INVOICE_TABLE.name], event.data
    if event.name == "invoice.issued":
        invoices[event.stream_id] |= {
            "status": "ISSUED",
            "invoice_number": data["number"],
            "issued_at": data["issuedAt"],
            "issue_date": data["issueDate"],
            "due_date": data["dueDate"],
        }
        return
    invoices[event.stream_id] = {
        "invoice_id": event.stream_id,
        "invoice_number": None,
        "status": "DRAFT",
        "work_order_id": data["workOrderId"],
        "customer_account_id": data["customerAccountId"],
        "issuer_entity_id": data["issuerEntityId"],
        "country_code": data["countryCode"],
        "currency_uom_id": data["currencyUomId"],
        "grand_total": data["totals"]["grandTotal"],
        "paid": 0,
        "credited": 0,
        **dict.fromkeys(("issued_at", "issue_date", "due_date")),
        "drafted_position": event.position,
    }


def _load_invoice_artifacts(tables: Tables, event: Event) -> None:
    for ref in event.data["traceability"]["artifactRefs"]:
        key = (ref["artifactRefId"], event.stream_id)
        tables[INVOICE_ARTIFACT_TABLE.name][key] = {
            "artifact_ref_id": ref["artifactRefId"],
            "invoice_id": event.stream_id,
            "customer_account_id": event.data["customerAccountId"],
            "drafted_position": event.position,
        }


def _load_series(tables: Tables, event: Event) -> None:
    data = event.data
    if event.name == "number-series.opened":
        tables[SERIES_TABLE.name][event.stream_id] = {
            "series_id": data["seriesId"],
            "country_code": data["countryCode"],
            "issuer_entity_id": data["issuerEntityId"],
            "doc_type": data["docType"],
            "format": json.dumps(data["format"]),
            "time_zone": data["timeZone"],
            "next_number": 1,
            "lock_version": event.version,
        }
        return
    series = tables[SERIES_TABLE.name][event.stream_id]
    series["next_number"], series["lock_version"] = data["sequence"] + 1, event.version
    tables[NUMBER_TABLE.name][event.position] = {
        "series_id": event.stream_id,
        "year": data["year"],
        "sequence": data["sequence"],
        "number": data["number"],
        "holder_type": data["holderType"],
        "holder_id": data["holderId"],
        "issued_at": data["issuedAt"],
        "position": event.position,
    }


def _load_task(tables: Tables, event: Event) -> None:
    tasks, data = tables[TASK_TABLE.name], event.data
    key = f"document:{event.stream_id}"
    if event.name == "order.refund-executed":
        key = f"refund:{quote(event.stream_id, safe='')}/{quote(data['refund']['refundId'], safe='')}"
    if event.name in {"document.issued", "order.refund-executed"} and key in tasks:
        tasks[key] |= {"is_open": False, "next_retry_at": None}


def _load_subject_stream(tables: Tables, event: Event) -> None:
    key_ids = {text.partition(".")[0] for text in _sealed_texts(event.data)}
    if not key_ids:
        return
    country_code, until = None, None
    if event.name == "order.paid-in-escrow":
        country_code = event.data["order"]["countryCode"]
        driver = driver_for(country_code)
        day = event.recorded_at.astimezone(ZoneInfo(driver.time_zone(country_code))).date()
        until = driver.retention("RECEIPT", day).until
    row = tables[SUBJECT_STREAM_TABLE.name].setdefault(
        (event.stream_type, event.stream_id),
        {
            "stream_type": event.stream_type,
            "stream_id": event.stream_id,
            "key_ids": "[]",
            "country_code": country_code,
            "retain_until": until,
        },
    )
    row["key_ids"] = json.dumps(sorted(key_ids | set(json.loads(row["key_ids"]))))


def _sealed_texts(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for name, value in data.items():
            if name == "sealed":
                yield from value.values()
            else:
                yield from _sealed_texts(value)
    elif isinstance(data, list):
        for item in data:
            yield from _sealed_texts(item)


def _load_delivery(tables: Tables, event: Event) -> None:
    deliveries, data = tables[DELIVERY_TABLE.name], event.data
    if event.name == "document.drafted":
        if data["deliveryMethod"] != "PORTAL":
            deliveries[event.stream_id] = {
                "delivery_id": first_delivery_id(event.stream_id),
                "document_id": event.stream_id,
                "channel": data["deliveryMethod"],
                "status": "DRAFTED",
                "attempts": 0,
                "stream_type": None,
                "stream_id": None,
                "due_at": None,
                "position": event.position,
            }
    elif event.name == "document.issued" and event.stream_id in deliveries:
        month = access_stream(event.stream_id, event.recorded_at)
        recorded = {"stream_type": month.type, "stream_id": month.id}
        deliveries[event.stream_id] |= {"status": "WAITING", "due_at": event.recorded_at, **recorded}


def _load_notification(tables: Tables, event: Event) -> None:
    notifications, data = tables[NOTIFICATION_TABLE.name], event.data
    if event.name == "document.drafted":
        notifications[event.stream_id] = {
            "notification_id": first_delivery_id(event.stream_id),
            "document_id": event.stream_id,
            "suppressed": False,
            "doc_type": data["docType"],
            "number": "",
            "owner_type": data["audience"],
            "owner_id": data["sellerId" if data["audience"] == "SELLER" else "buyerId"],
            "country_code": data["countryCode"],
            "language": data["language"],
            "created_at": None,
            "position": None,
        }
    elif event.name == "document.numbered":
        notifications[event.stream_id]["number"] = data["number"]
    elif event.name == "document.issued":
        notifications[event.stream_id] |= {"created_at": event.recorded_at, "position": event.position}


LOADERS: dict[str, Callable[[Tables, Event], None]] = {
    "documents": _load_document,
    "document-events": _load_timeline,
    "accounts": _load_account,
    "invoices": _load_invoice,
    "invoice-artifacts": _load_invoice_artifacts,
    "number-series": _load_series,
    "subject-streams": _load_subject_stream,
    "tasks": _load_task,
    "deliveries": _load_delivery,
    "notifications": _load_notification,
    "payments": load_payment,
    "bills": load_bill,
    "ap-payments-due": load_ap_payment_due,
}
"""By projection. They know what happens in the measured ledgers: orders are paid, and no task is open; work
orders are invoiced, and nothing is corrected, nor sent by anybody; whoever pays has the money."""
