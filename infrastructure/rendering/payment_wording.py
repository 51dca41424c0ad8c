"""The fixed words of payments' receipts and of their adjustments, in three languages.

Frozen with `payment-receipt/1` and `payment-adjustment/1`; the text for tills says it in the same words.
"""

from dataclasses import dataclass

from infrastructure.rendering.wording import ENGLISH_SHEET, GERMAN_SHEET, SPANISH_SHEET, SheetWords


@dataclass(frozen=True)
class PaymentWords(SheetWords):
    """What both print beside the words of all documents; braces are filled in by the templates.

    A reason that the dictionary does not hold is printed as it is.
    """

    receipt: str
    receipt_number: str
    receipt_note: str
    paid_at: str
    paid_by: str
    paid_to: str
    invoice: str
    invoice_date: str
    work_order: str
    payment: str
    received: str
    status: str
    payment_types: dict[str, str]
    in_full: str
    in_part: str
    payment_of: str
    paid: str
    remaining: str
    adjustment: str
    adjustment_number: str
    adjustment_note: str
    corrected: str
    refund: str
    given_back: str
    corrects: str
    stays_billed: str
    reason: str
    given_back_before: str
    total_given_back: str
    left_of_payment: str
    reasons: dict[str, str]
    copy: str
    thanks: str


_ENGLISH = PaymentWords(
    **vars(ENGLISH_SHEET),
    receipt="Payment receipt",
    receipt_number="Receipt number",
    receipt_note="This receipt confirms what you paid. The invoice is a document of its own.",
    paid_at="Paid",
    paid_by="Paid by",
    paid_to="Paid to",
    invoice="Invoice",
    invoice_date="Date of invoice",
    work_order="Work order",
    payment="Payment",
    received="{amount} received",
    status="Status",
    payment_types={"PAID_IN_FULL": "Paid in full", "PARTIAL_PAYMENT": "Partial payment"},
    in_full="Invoice {number} of {date} is paid in full. Thank you.",
    in_part="This is a partial payment of invoice {number} of {date}. {amount} is still due. Thank you.",
    payment_of="Payment of invoice {number}",
    paid="Paid",
    remaining="Still due of the invoice",
    adjustment="Adjustment of a payment",
    adjustment_number="Adjustment number",
    adjustment_note="This confirms what was given back to you. It changes nothing of what was invoiced.",
    corrected="Corrects receipt",
    refund="Refund",
    given_back="{amount} given back to you",
    corrects="This corrects receipt {number} of {date}, which confirmed a payment of {amount}.",
    stays_billed="What was given back is due again, unless a credit note takes it off the invoice.",
    reason="Reason: {reason}",
    given_back_before="Given back before",
    total_given_back="Given back",
    left_of_payment="What is left of the payment",
    reasons={
        "ERROR": "paid in error",
        "DUPLICATE": "paid twice",
        "CUSTOMER_REQUEST": "at your request",
        "OTHER": "as agreed with you",
    },
    copy="COPY {copy}",
    thanks="Thank you.",
)

_SPANISH = PaymentWords(
    **vars(SPANISH_SHEET),
    receipt="Recibo de pago",
    receipt_number="Número de recibo",
    receipt_note="Este recibo acredita lo que ha pagado. La factura es un documento aparte.",
    paid_at="Pagado",
    paid_by="Pagado por",
    paid_to="Pagado a",
    invoice="Factura",
    invoice_date="Fecha de la factura",
    work_order="Orden de trabajo",
    payment="Pago",
    received="{amount} recibidos",
    status="Estado",
    payment_types={"PAID_IN_FULL": "Pago total", "PARTIAL_PAYMENT": "Pago parcial"},
    in_full="La factura {number} del {date} está pagada por completo. Gracias.",
    in_part="Es un pago parcial de la factura {number} del {date}. Quedan {amount} por pagar. Gracias.",
    payment_of="Pago de la factura {number}",
    paid="Pagado",
    remaining="Pendiente de la factura",
    adjustment="Ajuste de un pago",
    adjustment_number="Número de ajuste",
    adjustment_note="Este documento acredita lo que se le ha devuelto. No cambia nada de lo facturado.",
    corrected="Rectifica el recibo",
    refund="Devolución",
    given_back="{amount} devueltos a usted",
    corrects="Rectifica el recibo {number} del {date}, que acreditaba un pago de {amount}.",
    stays_billed="Lo devuelto vuelve a deberse, salvo que una nota de crédito lo reste de la factura.",
    reason="Motivo: {reason}",
    given_back_before="Devuelto antes",
    total_given_back="Devuelto",
    left_of_payment="Lo que queda del pago",
    reasons={
        "ERROR": "pago por error",
        "DUPLICATE": "pago repetido",
        "CUSTOMER_REQUEST": "a petición suya",
        "OTHER": "según lo acordado con usted",
    },
    copy="COPIA {copy}",
    thanks="Gracias.",
)

_GERMAN = PaymentWords(
    **vars(GERMAN_SHEET),
    receipt="Quittung",
    receipt_number="Quittungsnummer",
    receipt_note="Diese Quittung bestätigt Ihre Zahlung. Die Rechnung ist ein eigener Beleg.",
    paid_at="Bezahlt",
    paid_by="Bezahlt von",
    paid_to="Bezahlt an",
    invoice="Rechnung",
    invoice_date="Rechnungsdatum",
    work_order="Werkstattauftrag",
    payment="Zahlung",
    received="{amount} erhalten",
    status="Stand",
    payment_types={"PAID_IN_FULL": "Vollständig bezahlt", "PARTIAL_PAYMENT": "Teilzahlung"},
    in_full="Die Rechnung {number} vom {date} ist vollständig bezahlt. Vielen Dank.",
    in_part="Teilzahlung auf die Rechnung {number} vom {date}. Offen bleiben {amount}. Vielen Dank.",
    payment_of="Zahlung auf Rechnung {number}",
    paid="Bezahlt",
    remaining="Offen aus der Rechnung",
    adjustment="Zahlungskorrektur",
    adjustment_number="Korrekturnummer",
    adjustment_note="Dieser Beleg bestätigt, was Ihnen erstattet wurde. An der Rechnung ändert er nichts.",
    corrected="Korrigiert die Quittung",
    refund="Erstattung",
    given_back="{amount} an Sie erstattet",
    corrects="Korrigiert die Quittung {number} vom {date} über eine Zahlung von {amount}.",
    stays_billed="Was erstattet wurde, ist wieder fällig, soweit keine Gutschrift die Rechnung mindert.",
    reason="Grund: {reason}",
    given_back_before="Früher erstattet",
    total_given_back="Erstattet",
    left_of_payment="Rest der Zahlung",
    reasons={
        "ERROR": "irrtümlich gezahlt",
        "DUPLICATE": "doppelt gezahlt",
        "CUSTOMER_REQUEST": "auf Ihren Wunsch",
        "OTHER": "wie mit Ihnen vereinbart",
    },
    copy="KOPIE {copy}",
    thanks="Vielen Dank.",
)

PAYMENT_WORDS = {"en": _ENGLISH, "es": _SPANISH, "de": _GERMAN}
"""By the document's language."""
