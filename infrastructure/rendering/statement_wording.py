"""The fixed words of sellers' statements, in English, Spanish and German. Frozen with their templates."""

from dataclasses import dataclass

from infrastructure.rendering.wording import ENGLISH_ORDER, GERMAN_ORDER, SPANISH_ORDER, OrderWords


@dataclass(frozen=True)
class StatementWords:
    """What `seller-statement/1` and `payout-statement/1` print beside the words of orders."""

    of_orders: OrderWords
    seller: str
    statement: str
    statement_number: str
    statement_note: str
    sold_at: str
    completed_at: str
    payout_status: str
    escrow_release: str
    refund: str
    dispute: str
    your_net: str
    your_coupon: str
    tax_of: dict[str, str]
    included: str
    net_total: str
    statuses: dict[str, str]
    status_remarks: dict[str, str]
    fees: dict[str, str]
    payout_statement: str
    payout_number: str
    payout_note: str
    payout: str
    sent_at: str
    paid_to: str
    sent: str
    sent_of: str
    sale_net: str
    paid_out: str


_ENGLISH = StatementWords(
    of_orders=ENGLISH_ORDER,
    seller="Seller",
    statement="Seller statement",
    statement_number="Statement number",
    statement_note="This statement tells you what a sale left you. It is not a tax invoice.",
    sold_at="Sold",
    completed_at="Completed",
    payout_status="Payout",
    escrow_release="Escrow release",
    refund="Refund",
    dispute="Dispute",
    your_net="{amount} net for you",
    your_coupon="Your coupon",
    tax_of={
        "ADDED ITEMS": "{kind} {rate} ({code}) added to items of {base}",
        "ADDED SELLER_FEE": "{kind} {rate} ({code}) on your fees of {base}",
        "WITHHELD ITEMS": "{kind} {rate} ({code}) withheld on items of {base}",
        "INCLUDED ITEMS": "{kind} {rate} ({code}) in items of {base}",
        "INCLUDED SELLER_FEE": "{kind} {rate} ({code}) in your fees of {base}",
    },
    included="Taxes included above",
    net_total="Your net",
    statuses={"PENDING": "Pending", "SENT": "Sent"},
    status_remarks={
        "PENDING": "The payout of order {order} is pending; you get a payout statement when it is sent.",
        "SENT": "The payout of order {order} has been sent.",
    },
    fees={"COMMISSION": "Commission"},
    payout_statement="Payout statement",
    payout_number="Statement number",
    payout_note="This statement confirms what was sent to you. It is not a tax invoice.",
    payout="Payout",
    sent_at="Sent",
    paid_to="Paid to",
    sent="{amount} sent to you",
    sent_of="Sent on {date} from the sale of order {order}.",
    sale_net="Net of the sale",
    paid_out="Paid out",
)

_SPANISH = StatementWords(
    of_orders=SPANISH_ORDER,
    seller="Vendedor",
    statement="Liquidación de venta",
    statement_number="Número de liquidación",
    statement_note="Esta liquidación le informa de lo que le deja una venta. No es una factura.",
    sold_at="Vendido",
    completed_at="Completado",
    payout_status="Pago al vendedor",
    escrow_release="Liberación de fondos",
    refund="Reembolso",
    dispute="Disputa",
    your_net="{amount} netos para usted",
    your_coupon="Su cupón",
    tax_of={
        "ADDED ITEMS": "{kind} {rate} ({code}) añadido a artículos de {base}",
        "ADDED SELLER_FEE": "{kind} {rate} ({code}) sobre sus comisiones de {base}",
        "WITHHELD ITEMS": "{kind} {rate} ({code}) sobre artículos de {base}",
        "INCLUDED ITEMS": "{kind} {rate} ({code}) en artículos de {base}",
        "INCLUDED SELLER_FEE": "{kind} {rate} ({code}) en sus comisiones de {base}",
    },
    included="Impuestos ya incluidos",
    net_total="Su neto",
    statuses={"PENDING": "Pendiente", "SENT": "Enviado"},
    status_remarks={
        "PENDING": "El pago del pedido {order} está pendiente; recibirá un comprobante cuando se envíe.",
        "SENT": "El pago del pedido {order} ya se ha enviado.",
    },
    fees={"COMMISSION": "Comisión de venta"},
    payout_statement="Comprobante de pago",
    payout_number="Número de comprobante",
    payout_note="Este comprobante acredita lo que se le ha enviado. No es una factura.",
    payout="Pago",
    sent_at="Enviado",
    paid_to="Pagado a",
    sent="{amount} enviados a usted",
    sent_of="Enviados el {date} por la venta del pedido {order}.",
    sale_net="Neto de la venta",
    paid_out="Total pagado",
)

_GERMAN = StatementWords(
    of_orders=GERMAN_ORDER,
    seller="Verkäufer",
    statement="Verkaufsabrechnung",
    statement_number="Abrechnungsnummer",
    statement_note="Diese Abrechnung zeigt Ihnen, was von einem Verkauf bleibt. Sie ist keine Rechnung.",
    sold_at="Verkauft",
    completed_at="Abgeschlossen",
    payout_status="Auszahlung",
    escrow_release="Treuhandfreigabe",
    refund="Erstattung",
    dispute="Streitfall",
    your_net="{amount} netto für Sie",
    your_coupon="Ihr Gutschein",
    tax_of={
        "ADDED ITEMS": "{kind} {rate} ({code}) zuzüglich zu Artikeln von {base}",
        "ADDED SELLER_FEE": "{kind} {rate} ({code}) auf Ihre Gebühren von {base}",
        "WITHHELD ITEMS": "{kind} {rate} ({code}) einbehalten auf Artikel von {base}",
        "INCLUDED ITEMS": "{kind} {rate} ({code}) in Artikeln von {base}",
        "INCLUDED SELLER_FEE": "{kind} {rate} ({code}) in Ihren Gebühren von {base}",
    },
    included="Oben bereits enthaltene Steuern",
    net_total="Ihr Netto",
    statuses={"PENDING": "Ausstehend", "SENT": "Gesendet"},
    status_remarks={
        "PENDING": "Die Auszahlung der Bestellung {order} steht aus; ein Auszahlungsbeleg folgt mit ihr.",
        "SENT": "Die Auszahlung der Bestellung {order} ist gesendet.",
    },
    fees={"COMMISSION": "Provision"},
    payout_statement="Auszahlungsbeleg",
    payout_number="Belegnummer",
    payout_note="Dieser Beleg bestätigt, was Ihnen gesendet wurde. Er ist keine Rechnung.",
    payout="Auszahlung",
    sent_at="Gesendet",
    paid_to="Ausgezahlt an",
    sent="{amount} an Sie gesendet",
    sent_of="Gesendet am {date} aus dem Verkauf der Bestellung {order}.",
    sale_net="Netto des Verkaufs",
    paid_out="Ausgezahlt",
)

STATEMENT_WORDS = {"en": _ENGLISH, "es": _SPANISH, "de": _GERMAN}
"""By the document's language."""
