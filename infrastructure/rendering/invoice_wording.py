"""The fixed words of invoices and their credit notes, in three languages. Frozen with their templates."""

from dataclasses import dataclass

from infrastructure.rendering.wording import ENGLISH_SHEET, GERMAN_SHEET, SPANISH_SHEET, SheetWords


@dataclass(frozen=True)
class InvoiceWords(SheetWords):
    """Every fixed word that `fiscal-invoice/1` and `credit-note/1` print beside those of all documents.

    Braces are filled in by the templates. Codes that a dictionary does not hold are printed as they are.
    """

    invoice: str
    invoice_number: str
    invoice_note: str
    credit_note: str
    credit_note_number: str
    credit_note_note: str
    bill_to: str
    work_order: str
    due_date: str
    payment_terms: str
    due: str
    nothing_due: str
    corrected_invoice: str
    reason: str
    credited: str
    takes_back: str
    kind: str
    tax: str
    subtotal: str
    discounts: str
    fees: str
    net_total: str
    tax_total: str
    total_due: str
    total_credited: str
    tax_category: str
    tax_rate: str
    taxable_amount: str
    tax_amount: str
    kinds: dict[str, str]
    tax_categories: dict[str, str]
    """Short, for they stand on every line."""
    tax_mentions: dict[str, str]
    """What the law wants said where no tax is charged (Directive 2006/112/EC, article 226, 11 and 11a)."""
    exemption_reasons: dict[str, str]
    terms: dict[str, str]
    reasons: dict[str, str]


_ENGLISH = InvoiceWords(
    **vars(ENGLISH_SHEET),
    invoice="Invoice",
    invoice_number="Invoice number",
    invoice_note="Please state the invoice number when you pay.",
    credit_note="Credit note",
    credit_note_number="Credit note number",
    credit_note_note="This is not a request for payment: it takes back what an invoice charged.",
    bill_to="Billed to",
    work_order="Work order",
    due_date="Due date",
    payment_terms="Payment terms",
    due="{amount} due by {date}",
    nothing_due="There is nothing to pay",
    corrected_invoice="Corrects invoice",
    reason="Reason",
    credited="{amount} credited to you",
    takes_back="This credit note takes the amounts below back from invoice {number} of {date}.",
    kind="Kind",
    tax="Tax",
    subtotal="Services and parts",
    discounts="Discounts",
    fees="Fees",
    net_total="Total before tax",
    tax_total="Tax",
    total_due="Total due",
    total_credited="Total credited",
    tax_category="Category",
    tax_rate="Rate",
    taxable_amount="Taxable amount ({currency})",
    tax_amount="Tax ({currency})",
    kinds={"LABOR": "Service", "PART": "Part", "FEE": "Fee", "DISCOUNT": "Discount"},
    tax_categories={
        "STANDARD": "Standard",
        "INTERMEDIATE": "Intermediate",
        "REDUCED": "Reduced",
        "SUPER_REDUCED": "Super-reduced",
        "INCREASED": "Increased",
        "ZERO": "Zero-rated",
        "EXEMPT": "Exempt",
        "REVERSE_CHARGE": "Reverse charge",
        "INTRA_COMMUNITY": "Intra-EU",
        "EXPORT": "Export",
        "OUT_OF_SCOPE": "Not subject",
    },
    tax_mentions={
        "EXEMPT": "Exempt from tax",
        "REVERSE_CHARGE": "Reverse charge: the customer accounts for the tax",
        "INTRA_COMMUNITY": "Exempt intra-Community supply",
        "EXPORT": "Exempt export",
        "OUT_OF_SCOPE": "Not subject to tax",
    },
    exemption_reasons={
        "VATEX-EU-132": "Article 132 of Directive 2006/112/EC",
        "VATEX-EU-IC": "Article 138 of Directive 2006/112/EC",
        "US-EXEMPT-CERTIFICATE": "exemption certificate",
        "US-LABOR-NOT-TAXED": "the state does not tax repair labor",
        "US-NO-STATE-TAX": "the state has no sales tax",
    },
    terms={
        "DUE_ON_RECEIPT": "Due on receipt",
        "NET7": "7 days",
        "NET10": "10 days",
        "NET15": "15 days",
        "NET30": "30 days",
        "NET45": "45 days",
        "NET60": "60 days",
        "NET90": "90 days",
        "EOM": "End of the month",
        "NET30_EOM": "30 days, end of the month",
    },
    reasons={
        "ERROR": "Error in the invoice",
        "DUPLICATE": "Invoiced twice",
        "CUSTOMER_REQUEST": "At your request",
    },
)

_SPANISH = InvoiceWords(
    **vars(SPANISH_SHEET),
    invoice="Factura",
    invoice_number="Número de factura",
    invoice_note="Indique el número de factura al pagar.",
    credit_note="Nota de crédito",
    credit_note_number="Número de nota de crédito",
    credit_note_note="Esto no es una solicitud de pago: anula lo que cobró una factura.",
    bill_to="Facturado a",
    work_order="Orden de trabajo",
    due_date="Fecha de vencimiento",
    payment_terms="Condiciones de pago",
    due="{amount} a pagar hasta el {date}",
    nothing_due="No hay nada que pagar",
    corrected_invoice="Rectifica la factura",
    reason="Motivo",
    credited="{amount} a su favor",
    takes_back="Esta nota de crédito anula los importes siguientes de la factura {number} del {date}.",
    kind="Clase",
    tax="Impuesto",
    subtotal="Servicios y piezas",
    discounts="Descuentos",
    fees="Tasas y cargos",
    net_total="Total sin impuestos",
    tax_total="Impuestos",
    total_due="Total a pagar",
    total_credited="Total abonado",
    tax_category="Categoría",
    tax_rate="Tipo",
    taxable_amount="Base imponible ({currency})",
    tax_amount="Cuota ({currency})",
    kinds={"LABOR": "Servicio", "PART": "Pieza", "FEE": "Cargo", "DISCOUNT": "Descuento"},
    tax_categories={
        "STANDARD": "General",
        "INTERMEDIATE": "Intermedio",
        "REDUCED": "Reducido",
        "SUPER_REDUCED": "Superreducido",
        "INCREASED": "Incrementado",
        "ZERO": "Tipo cero",
        "EXEMPT": "Exento",
        "REVERSE_CHARGE": "ISP",
        "INTRA_COMMUNITY": "Intracom.",
        "EXPORT": "Exportación",
        "OUT_OF_SCOPE": "No sujeto",
    },
    tax_mentions={
        "EXEMPT": "Operación exenta",
        "REVERSE_CHARGE": "Inversión del sujeto pasivo: el destinatario liquida el impuesto",
        "INTRA_COMMUNITY": "Entrega intracomunitaria exenta",
        "EXPORT": "Exportación exenta",
        "OUT_OF_SCOPE": "Operación no sujeta",
    },
    exemption_reasons={
        "VATEX-EU-132": "artículo 132 de la Directiva 2006/112/CE",
        "VATEX-EU-IC": "artículo 138 de la Directiva 2006/112/CE",
        "US-EXEMPT-CERTIFICATE": "certificado de exención",
        "US-LABOR-NOT-TAXED": "el estado no grava la mano de obra de reparación",
        "US-NO-STATE-TAX": "el estado no tiene impuesto sobre ventas",
    },
    terms={
        "DUE_ON_RECEIPT": "A la recepción",
        "NET7": "7 días",
        "NET10": "10 días",
        "NET15": "15 días",
        "NET30": "30 días",
        "NET45": "45 días",
        "NET60": "60 días",
        "NET90": "90 días",
        "EOM": "Fin de mes",
        "NET30_EOM": "30 días, fin de mes",
    },
    reasons={
        "ERROR": "Error en la factura",
        "DUPLICATE": "Facturado dos veces",
        "CUSTOMER_REQUEST": "A petición suya",
    },
)

_GERMAN = InvoiceWords(
    **vars(GERMAN_SHEET),
    invoice="Rechnung",
    invoice_number="Rechnungsnummer",
    invoice_note="Bitte geben Sie bei der Zahlung die Rechnungsnummer an.",
    credit_note="Rechnungskorrektur",
    credit_note_number="Korrekturnummer",
    credit_note_note="Dies ist keine Zahlungsaufforderung: Eine Rechnung wird hiermit berichtigt.",
    bill_to="Rechnung an",
    work_order="Auftrag",
    due_date="Fällig am",
    payment_terms="Zahlungsbedingungen",
    due="{amount} zahlbar bis {date}",
    nothing_due="Es ist nichts zu zahlen",
    corrected_invoice="Berichtigt Rechnung",
    reason="Grund",
    credited="{amount} zu Ihren Gunsten",
    takes_back="Diese Korrektur nimmt die folgenden Beträge der Rechnung {number} vom {date} zurück.",
    kind="Art",
    tax="Steuer",
    subtotal="Leistungen und Teile",
    discounts="Rabatte",
    fees="Gebühren",
    net_total="Nettobetrag",
    tax_total="Umsatzsteuer",
    total_due="Rechnungsbetrag",
    total_credited="Gesamtbetrag",
    tax_category="Kategorie",
    tax_rate="Satz",
    taxable_amount="Nettobetrag ({currency})",
    tax_amount="Steuer ({currency})",
    kinds={"LABOR": "Leistung", "PART": "Teil", "FEE": "Gebühr", "DISCOUNT": "Rabatt"},
    tax_categories={
        "STANDARD": "Regelsatz",
        "INTERMEDIATE": "Zwischensatz",
        "REDUCED": "Ermäßigt",
        "SUPER_REDUCED": "Stark ermäßigt",
        "INCREASED": "Erhöht",
        "ZERO": "Nullsatz",
        "EXEMPT": "Steuerfrei",
        "REVERSE_CHARGE": "Reverse Charge",
        "INTRA_COMMUNITY": "Innergem.",
        "EXPORT": "Ausfuhr",
        "OUT_OF_SCOPE": "Nicht steuerbar",
    },
    tax_mentions={
        "EXEMPT": "Steuerfreier Umsatz",
        "REVERSE_CHARGE": "Steuerschuldnerschaft des Leistungsempfängers",
        "INTRA_COMMUNITY": "Steuerfreie innergemeinschaftliche Lieferung",
        "EXPORT": "Steuerfreie Ausfuhrlieferung",
        "OUT_OF_SCOPE": "Nicht steuerbarer Umsatz",
    },
    exemption_reasons={
        "VATEX-EU-132": "Artikel 132 der Richtlinie 2006/112/EG",
        "VATEX-EU-IC": "Artikel 138 der Richtlinie 2006/112/EG",
        "US-EXEMPT-CERTIFICATE": "Befreiungsbescheinigung",
        "US-LABOR-NOT-TAXED": "der Bundesstaat besteuert Reparaturarbeit nicht",
        "US-NO-STATE-TAX": "der Bundesstaat hat keine Verkaufssteuer",
    },
    terms={
        "DUE_ON_RECEIPT": "Sofort fällig",
        "NET7": "7 Tage",
        "NET10": "10 Tage",
        "NET15": "15 Tage",
        "NET30": "30 Tage",
        "NET45": "45 Tage",
        "NET60": "60 Tage",
        "NET90": "90 Tage",
        "EOM": "Monatsende",
        "NET30_EOM": "30 Tage zum Monatsende",
    },
    reasons={
        "ERROR": "Fehler in der Rechnung",
        "DUPLICATE": "Doppelt berechnet",
        "CUSTOMER_REQUEST": "Auf Ihren Wunsch",
    },
)

INVOICE_WORDS = {"en": _ENGLISH, "es": _SPANISH, "de": _GERMAN}
"""By the document's language."""
