"""The Document Center over many documents: how long its lists and searches take, query by query."""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from benchmarks import http_client
from benchmarks.harness import Api, Bench, Ledger
from benchmarks.ledgers import pay_orders
from benchmarks.results import Result, Rounds, Target, percentile
from domain.documents.visibility import DocumentScope
from infrastructure.readstore.compiling import compiled
from interfaces.http.reading import encode_cursor, position_cursor
from projections.document_search import select_documents
from projections.documents import DOCUMENT_TABLE
from projections.source_text import ERA_POSITIONS, SOURCE_TEXT_TABLE, searchable

AUDITOR = DocumentScope(every=True, drafts=True)
PAGE = 50
FIRST_POSITION = 1_000_000_000
"""Where the positions of documents made by SQL begin, eight apart as those of real orders."""

_FILL_DOCUMENTS = f"""
INSERT INTO readmodel.{DOCUMENT_TABLE.name}
SELECT r.* FROM (
    SELECT d FROM readmodel.{DOCUMENT_TABLE.name} AS d WHERE status = 'ISSUED' LIMIT 1
) AS example(d),
generate_series(1, %(count)s) AS n,
LATERAL (SELECT
    (ARRAY['GB','GB','GB','GB','GB','GB','MX','MX','ES','DE'])[1 + n %% 10],
    (ARRAY['RECEIPT','RECEIPT','RECEIPT','SELLER_STATEMENT','FISCAL_INVOICE'])[1 + n %% 5],
    timestamptz '2023-01-01Z' + n * interval '90 seconds'
) AS c(country, doc_type, at),
LATERAL jsonb_populate_record(d, jsonb_build_object(
    'document_id', gen_random_uuid(),
    'document_key', 'o-' || n || ':' || c.doc_type || ':platform-' || c.country || ':1',
    'source_id', 'o-' || n,
    'source_stream', 'order/o-' || n,
    'doc_type', c.doc_type,
    'status', CASE WHEN n %% 1000 = 7 THEN 'DRAFT' ELSE 'ISSUED' END,
    'country_code', c.country,
    'issuer_entity_id', 'platform-' || c.country,
    'series_id', c.country || ':platform-' || c.country || ':' || c.doc_type,
    'buyer_id', 'buyer-' || (hashint8(n) & 262143),
    'seller_id', 'seller-' || floor(4000 * power((hashint8(n * 7) & 1048575) / 1048576.0, 2)),
    'number', 'R-' || c.country || '-' || lpad(n::text, 9, '0'),
    'issued_at', c.at,
    'issue_date', c.at::date,
    'drafted_position', %(first)s + 8 * n
)) AS r
"""
_FILL_TEXTS = f"""
INSERT INTO readmodel.{SOURCE_TEXT_TABLE.name}
SELECT r.* FROM (SELECT t FROM readmodel.{SOURCE_TEXT_TABLE.name} AS t LIMIT 1) AS example(t),
(SELECT %(names)s::text[], %(things)s::text[], %(colours)s::text[]) AS words(names, things, colours),
generate_series(1, %(count)s) AS n,
LATERAL jsonb_populate_record(t, jsonb_build_object(
    'source_stream', 'order/o-' || n, 'search_text', concat_ws(
    repeat(chr(10), 2),
    names[1 + (hashint8(n) & 31)] || ' ' || substr(md5((hashint8(n) & 262143)::text), 1, 9),
    'shop ' || substr(md5(floor(4000 * power((hashint8(n * 7) & 1048575) / 1048576.0, 2))::text), 1, 9),
    'larkfield market ltd',
    'o-' || n,
    things[1 + (hashint8(n * 3) & 31)] || ' ' || colours[1 + (hashint8(n * 5) & 15)],
    things[1 + (hashint8(n * 11) & 31)] || ' ' || colours[1 + (hashint8(n * 13) & 15)],
    lpad(to_hex(hashint8(n * 17) & 65535), 5, 'k')
), 'marks', (
    SELECT ARRAY['era ' || drafted_position / {ERA_POSITIONS},
        'country ' || country_code, 'seller ' || seller_id]
    FROM readmodel.{DOCUMENT_TABLE.name} WHERE source_stream = 'order/o-' || n
))) AS r
"""
_FIRST_NAMES = (
    "ana,ben,carla,dev,eva,finn,greta,hugo,ines,jan,kim,lena,max,nora,omar,pia,quin,"
    "rosa,sven,tara,uma,vera,will,xenia,yann,zoe,amir,bea,cleo,dora,emil,fay"
)
_THINGS = (
    "enamel kettle,oak tray,linen apron,tin mug,glass jar,felt slippers,beeswax candle,"
    "wool blanket,copper pan,bread bin,clay pot,brass hook,rope basket,straw hat,silk scarf,"
    "leather belt,paper lamp,cork mat,slate board,bamboo bowl,steel flask,cotton bag,"
    "jute rug,birch stool,pine shelf,marble bust,iron grill,willow crate,hemp rope,"
    "resin vase,pearl comb,velvet bow"
)
_COLOURS = (
    "moss green,chalk white,ink blue,rust red,sand,charcoal,ochre,plum,teal,ivory,rose,"
    "lilac,amber,slate grey,olive,coral"
)


@dataclass(frozen=True)
class Asked:
    """A kind of list that people ask for: its parameters, for the n-th that asks."""

    name: str
    parameters: dict[str, Any]


def measure_document_center(bench: Bench) -> list[Result]:
    """A mix of filters, searches and deep pages over one connection."""
    ledger, count = bench.ledger("center"), bench.scale.documents
    fill_documents(ledger, count)
    asked = [
        one
        for kinds in itertools.islice(_kinds(count), max(3, round(bench.scale.seconds * 3)))
        for one in kinds
    ]
    waits: dict[str, list[float]] = {}
    p95s, reference_p95s = [], []
    with ledger.serving() as api:
        _over_http_ms(api, asked)
        for _ in range(min(3, bench.scale.rounds)):
            taken = _over_http_ms(api, asked)
            for one, milliseconds in zip(asked, taken, strict=True):
                waits.setdefault(one.name, []).append(milliseconds)
            p95s.append(percentile(taken, 0.95))
            reference_p95s.append(percentile(_by_psycopg_ms(ledger, asked), 0.95))
    slowest = sorted(((percentile(taken, 0.95), name) for name, taken in waits.items()), reverse=True)
    worst = ", ".join(f"{name} {milliseconds:.3g} ms" for milliseconds, name in slowest[:4])
    return [
        Rounds(tuple(p95s), tuple(reference_p95s)).result(
            "document-center",
            f"GET /v1/documents over {count:,} documents, {len(waits)} kinds of filters and searches, p95",
            "ms",
            "the same statements by bare psycopg, p95",
            targets=(Target("value", "<", 20),),
            note=f"slowest kinds, p95: {worst}",
        )
    ]


def fill_documents(ledger: Ledger, count: int) -> None:
    """So many documents and sources' texts in the read models, made by SQL from the rows of a real one."""
    pay_orders(ledger, 1)
    with ledger.projecting():
        pass
    lists = {"names": _FIRST_NAMES, "things": _THINGS, "colours": _COLOURS}
    words = {name: [searchable(one) for one in texts.split(",")] for name, texts in lists.items()}
    with ledger.connect() as connection:
        connection.execute(_FILL_DOCUMENTS.encode(), {"count": count, "first": FIRST_POSITION})
        connection.execute(_FILL_TEXTS.encode(), {"count": count, **words})
        for table in (DOCUMENT_TABLE, SOURCE_TEXT_TABLE):
            connection.execute(sql.SQL("VACUUM (ANALYZE) readmodel.{}").format(sql.Identifier(table.name)))


def _kinds(count: int) -> Iterator[list[Asked]]:
    """One of each kind, about another document every time."""
    things, colours = _THINGS.split(","), _COLOURS.split(",")
    for turn in itertools.count(1):
        n = 1 + turn * 7919 % count
        middle = {"cursor": encode_cursor(FIRST_POSITION + 8 * n)}
        seller = {"sellerId": f"seller-{turn * 37 % 4000}"}
        month = date(2023, 1 + turn % 12, 1)
        yield [
            Asked("newest", {}),
            Asked("status and country", {"status": "ISSUED", "countryCode": "MX"}),
            Asked("rare country", {"countryCode": "DE"}),
            Asked("drafts", {"status": "DRAFT"}),
            Asked("buyer", {"buyerId": f"buyer-{n}"}),
            Asked("seller and type", {**seller, "docType": "RECEIPT"}),
            Asked(
                "issuer and month",
                {"issuerEntityId": "platform-GB", "issuedFrom": month, "issuedTo": month.replace(day=28)},
            ),
            Asked("order", {"orderId": f"o-{n}"}),
            Asked("deep page", middle),
            Asked("deep page of a seller", {**seller, **middle}),
            Asked("q: number", {"q": f"R-GB-{n:09d}"}),
            Asked("q: order id", {"q": f"o-{n}"}),
            Asked("q: product", {"q": f"{things[n % 32]} {colours[n % 16]}"}),
            Asked("q: one word", {"q": things[n % 32].split()[0]}),
            Asked("q: nothing", {"q": f"zzqx{n}"}),
            Asked("q: seller's product", {**seller, "q": things[n % 32]}),
        ]


def _over_http_ms(api: Api, asked: list[Asked]) -> list[float]:
    taken = []
    with http_client.Client(api.port) as client:
        for one in asked:
            query = urlencode({"limit": PAGE, **one.parameters})
            sent = http_client.request("GET", f"/v1/documents?{query}", api.token)
            started = time.perf_counter()
            answer = client.ask(sent)
            taken.append((time.perf_counter() - started) * 1000)
            assert answer.status == 200, answer.body
    return taken


def _by_psycopg_ms(ledger: Ledger, asked: list[Asked]) -> list[float]:
    taken = []
    with psycopg.connect(ledger.admin_url, autocommit=True, row_factory=dict_row) as connection:
        for one in asked:
            filters = dict(one.parameters)
            cursor = filters.pop("cursor", None)
            query = select_documents(AUDITOR, filters, position_cursor(cursor), PAGE + 1)
            statement = compiled(query.statement)
            parameters = {**statement.constants, **query.parameters}
            started = time.perf_counter()
            # A plan made for all values at once would serve most of them badly.
            found = connection.execute(statement.text, parameters, prepare=False).fetchall()
            json.dumps(found, default=str)
            taken.append((time.perf_counter() - started) * 1000)
    return taken
