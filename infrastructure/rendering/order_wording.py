"""The fixed words of an order's invoices and corrections, in three languages. Frozen with their templates."""

from dataclasses import dataclass

from infrastructure.rendering.invoice_wording import INVOICE_WORDS, InvoiceWords
from infrastructure.rendering.wording import ENGLISH_ORDER, GERMAN_ORDER, SPANISH_ORDER, OrderWords

CATEGORY_OF_CODE = {
    "S": "STANDARD",
    "AA": "REDUCED",
    "H": "INCREASED",
    "Z": "ZERO",
    "E": "EXEMPT",
    "AE": "REVERSE_CHARGE",
    "K": "INTRA_COMMUNITY",
    "G": "EXPORT",
    "O": "OUT_OF_SCOPE",
}
"""The words for tax categories that invoices have, by the codes of UNTDID 5305 that orders bring."""


@dataclass(frozen=True)
class OrderDocumentWords:
    """What these templates print beside the words of orders and of invoices; braces are filled in by them."""

    of_orders: OrderWords
    of_invoices: InvoiceWords
    paid: str
    nothing_left: str
    total_paid: str
    invoice_note: str
    refund: str
    dispute: str
    reason: str
    adjustment: str
    adjustment_number: str
    adjustment_note: str
    adjustment_takes_back: str
    corrected_receipt: str
    returned: str
    total_returned: str
    taxed: dict[str, str]
    mode_remarks: dict[str, str]


_ENGLISH = OrderDocumentWords(
    of_orders=ENGLISH_ORDER,
    of_invoices=INVOICE_WORDS["en"],
    paid="{amount} paid",
    nothing_left="Order {order} was paid when it was placed; there is nothing left to pay.",
    total_paid="Total paid",
    invoice_note="This invoice is paid. Please keep it for your records.",
    refund="Refund",
    dispute="Dispute",
    reason="Reason: {reason}",
    adjustment="Adjustment",
    adjustment_number="Adjustment number",
    adjustment_note="This is not a fiscal document: it gives no right to deduct or to reclaim tax.",
    adjustment_takes_back="This statement takes the amounts below back from receipt {number} of {date}.",
    corrected_receipt="Corrects receipt",
    returned="{amount} returned to you",
    total_returned="Total returned",
    taxed={
        "ITEMS": "Items",
        "PLATFORM_FEE": "Platform fee",
        "OPS_FEE": "Operations fee",
        "PROCESSING_FEE": "Processing fee",
    },
    mode_remarks={
        "ADDED": "added to the price",
        "INCLUDED": "included in the price",
        "WITHHELD": "withheld from the seller, not part of the total",
    },
)

_SPANISH = OrderDocumentWords(
    of_orders=SPANISH_ORDER,
    of_invoices=INVOICE_WORDS["es"],
    paid="{amount} pagados",
    nothing_left="El pedido {order} se pagó al hacerlo; no queda nada que pagar.",
    total_paid="Total pagado",
    invoice_note="Esta factura está pagada. Consérvela con su documentación.",
    refund="Reembolso",
    dispute="Disputa",
    reason="Motivo: {reason}",
    adjustment="Ajuste",
    adjustment_number="Número de ajuste",
    adjustment_note="Este no es un documento fiscal: no da derecho a deducir ni a recuperar impuestos.",
    adjustment_takes_back="Este ajuste anula los importes siguientes del recibo {number} del {date}.",
    corrected_receipt="Rectifica el recibo",
    returned="{amount} devueltos a usted",
    total_returned="Total devuelto",
    taxed={
        "ITEMS": "Artículos",
        "PLATFORM_FEE": "Comisión de plataforma",
        "OPS_FEE": "Comisión de operaciones",
        "PROCESSING_FEE": "Comisión de procesamiento",
    },
    mode_remarks={
        "ADDED": "añadido al precio",
        "INCLUDED": "incluido en el precio",
        "WITHHELD": "retenido al vendedor, no forma parte del total",
    },
)

_GERMAN = OrderDocumentWords(
    of_orders=GERMAN_ORDER,
    of_invoices=INVOICE_WORDS["de"],
    paid="{amount} bezahlt",
    nothing_left="Bestellung {order} wurde bei Auftragserteilung bezahlt; es ist nichts mehr zu zahlen.",
    total_paid="Bezahlt",
    invoice_note="Diese Rechnung ist bezahlt. Bitte bewahren Sie sie auf.",
    refund="Erstattung",
    dispute="Streitfall",
    reason="Grund: {reason}",
    adjustment="Ausgleichsbeleg",
    adjustment_number="Belegnummer",
    adjustment_note="Dies ist kein Steuerbeleg; er berechtigt nicht zu Abzug oder Erstattung von Steuern.",
    adjustment_takes_back="Dieser Beleg nimmt die folgenden Beträge des Belegs {number} vom {date} zurück.",
    corrected_receipt="Berichtigt Beleg",
    returned="{amount} an Sie erstattet",
    total_returned="Erstattet",
    taxed={
        "ITEMS": "Artikel",
        "PLATFORM_FEE": "Plattformgebühr",
        "OPS_FEE": "Betriebsgebühr",
        "PROCESSING_FEE": "Bearbeitungsgebühr",
    },
    mode_remarks={
        "ADDED": "zuzüglich zum Preis",
        "INCLUDED": "im Preis enthalten",
        "WITHHELD": "beim Verkäufer einbehalten, nicht Teil der Summe",
    },
)

ORDER_WORDS = {"en": _ENGLISH, "es": _SPANISH, "de": _GERMAN}
"""By the document's language."""
