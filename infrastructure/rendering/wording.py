"""The fixed words of documents, in English, Spanish and German. Frozen with the templates that print them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SheetWords:
    """What every kind of document prints; braces are filled in by the templates."""

    issue_date: str
    issuer: str
    tax_id: str
    description: str
    quantity: str
    unit_price: str
    discount: str
    amount: str
    carried_forward: str
    brought_forward: str
    page: str
    document: str
    continued: str
    units: dict[str, str]


@dataclass(frozen=True)
class OrderWords(SheetWords):
    """What every document of an order may print beside those. Codes that a dictionary lacks are printed."""

    order: str
    paid_at: str
    payment_means: str
    payment_reference: str
    seller: str
    seller_and_issuer: str
    buyer: str
    sku: str
    coupon: str
    items_subtotal: str
    platform_fee_before: str
    fee_credits: str
    platform_fee_after: str
    ops_fee: str
    processing_fee: str
    tax: str
    included_taxes: str
    exemption: str
    line_tax: str
    tax_targets: dict[str, str]
    tax_modes: dict[str, str]
    tax_kinds: dict[str, str]
    payment_names: dict[str, str]


@dataclass(frozen=True)
class ReceiptWords(OrderWords):
    """Every fixed word that `receipt/1` prints beside those of all documents of orders."""

    title: str
    number: str
    total: str
    note: str


_UNIT_SYMBOLS = {
    "C62": "",
    "H87": "",
    "EA": "",
    "GRM": "g",
    "KGM": "kg",
    "LTR": "l",
    "MTR": "m",
    "MTK": "m²",
    "KMT": "km",
    "MIN": "min",
    "HUR": "h",
}
"""UN/ECE Recommendation 20 codes whose symbol both languages share; others are printed as they are."""

ENGLISH_SHEET = SheetWords(
    issue_date="Date of issue",
    issuer="Issued by",
    tax_id="Tax ID {tax_id}",
    description="Description",
    quantity="Quantity",
    unit_price="Unit price",
    discount="Discount",
    amount="Amount ({currency})",
    carried_forward="Carried forward",
    brought_forward="Brought forward",
    page="Page {page} of {pages}",
    document="Document {document_id} · Template {template} · Rules {driver}",
    continued="{title} {number}, continued",
    units={**_UNIT_SYMBOLS, "DAY": "d", "MON": "mo"},
)

SPANISH_SHEET = SheetWords(
    issue_date="Fecha de emisión",
    issuer="Emitido por",
    tax_id="NIF/ID fiscal {tax_id}",
    description="Descripción",
    quantity="Cantidad",
    unit_price="Precio",
    discount="Descuento",
    amount="Importe ({currency})",
    carried_forward="Suma y sigue",
    brought_forward="Suma anterior",
    page="Página {page} de {pages}",
    document="Documento {document_id} · Plantilla {template} · Reglas {driver}",
    continued="{title} {number}, continuación",
    units={**_UNIT_SYMBOLS, "DAY": "d", "MON": "mes"},
)

GERMAN_SHEET = SheetWords(
    issue_date="Ausstellungsdatum",
    issuer="Ausgestellt von",
    tax_id="USt-IdNr./Steuernr. {tax_id}",
    description="Bezeichnung",
    quantity="Menge",
    unit_price="Einzelpreis",
    discount="Rabatt",
    amount="Betrag ({currency})",
    carried_forward="Übertrag",
    brought_forward="Übertrag",
    page="Seite {page} von {pages}",
    document="Dokument {document_id} · Vorlage {template} · Regeln {driver}",
    continued="{title} {number}, Fortsetzung",
    units={**_UNIT_SYMBOLS, "DAY": "Tg.", "MON": "Mon.", "HUR": "Std."},
)

ENGLISH_ORDER = OrderWords(
    **vars(ENGLISH_SHEET),
    order="Order",
    paid_at="Paid",
    payment_means="Payment method",
    payment_reference="Payment reference",
    seller="Sold by",
    seller_and_issuer="Sold and issued by",
    buyer="Bought by",
    sku="Item",
    coupon="Seller's coupon",
    items_subtotal="Items subtotal",
    platform_fee_before="Platform fee before credits",
    fee_credits="Fee credits applied",
    platform_fee_after="Platform fee after credits",
    ops_fee="Operations fee",
    processing_fee="Processing fee",
    tax="{kind} {rate} ({code}) on {target} of {base}",
    included_taxes="Taxes included above",
    exemption="exempt: {code}",
    line_tax="{kind} {rate} ({code}), {mode}: {amount}",
    tax_modes={"ADDED": "added", "INCLUDED": "included", "WITHHELD": "withheld"},
    tax_targets={
        "ITEMS": "items",
        "PLATFORM_FEE": "the platform fee",
        "OPS_FEE": "the operations fee",
        "PROCESSING_FEE": "the processing fee",
    },
    tax_kinds={"VAT": "VAT", "SALES": "Sales tax", "WITHHOLDING": "Withholding tax"},
    payment_names={
        "10": "Cash",
        "20": "Cheque",
        "30": "Bank transfer",
        "42": "Bank account",
        "48": "Card",
        "49": "Direct debit",
        "54": "Credit card",
        "55": "Debit card",
        "57": "Standing agreement",
        "58": "SEPA transfer",
        "59": "SEPA direct debit",
        "68": "Online payment",
    },
)

ENGLISH = ReceiptWords(
    **vars(ENGLISH_ORDER),
    title="Receipt",
    number="Receipt number",
    total="Total paid",
    note="This receipt confirms what you paid. It is not a tax invoice and gives no right to deduct tax.",
)

SPANISH_ORDER = OrderWords(
    **vars(SPANISH_SHEET),
    order="Pedido",
    paid_at="Pagado",
    payment_means="Medio de pago",
    payment_reference="Referencia de pago",
    seller="Vendido por",
    seller_and_issuer="Vendido y emitido por",
    buyer="Comprado por",
    sku="Artículo",
    coupon="Cupón del vendedor",
    items_subtotal="Subtotal de artículos",
    platform_fee_before="Comisión de plataforma antes de créditos",
    fee_credits="Créditos de comisión aplicados",
    platform_fee_after="Comisión de plataforma tras créditos",
    ops_fee="Comisión de operaciones",
    processing_fee="Comisión de procesamiento",
    tax="{kind} {rate} ({code}) sobre {target} de {base}",
    included_taxes="Impuestos ya incluidos",
    exemption="exento: {code}",
    line_tax="{kind} {rate} ({code}), {mode}: {amount}",
    tax_modes={"ADDED": "añadido", "INCLUDED": "incluido", "WITHHELD": "retenido"},
    tax_targets={
        "ITEMS": "artículos",
        "PLATFORM_FEE": "la comisión de plataforma",
        "OPS_FEE": "la comisión de operaciones",
        "PROCESSING_FEE": "la comisión de procesamiento",
    },
    tax_kinds={"VAT": "IVA", "SALES": "Impuesto sobre ventas", "WITHHOLDING": "Retención"},
    payment_names={
        "10": "Efectivo",
        "20": "Cheque",
        "30": "Transferencia",
        "42": "Cuenta bancaria",
        "48": "Tarjeta",
        "49": "Domiciliación",
        "54": "Tarjeta de crédito",
        "55": "Tarjeta de débito",
        "57": "Acuerdo permanente",
        "58": "Transferencia SEPA",
        "59": "Adeudo SEPA",
        "68": "Pago en línea",
    },
)

SPANISH = ReceiptWords(
    **vars(SPANISH_ORDER),
    title="Recibo",
    number="Número de recibo",
    total="Total pagado",
    note="Este recibo acredita lo que ha pagado. No es una factura y no da derecho a deducir impuestos.",
)

GERMAN_ORDER = OrderWords(
    **vars(GERMAN_SHEET),
    order="Bestellung",
    paid_at="Bezahlt",
    payment_means="Zahlungsart",
    payment_reference="Zahlungsreferenz",
    seller="Verkauft von",
    seller_and_issuer="Verkauft und ausgestellt von",
    buyer="Gekauft von",
    sku="Artikel",
    coupon="Gutschein des Verkäufers",
    items_subtotal="Zwischensumme Artikel",
    platform_fee_before="Plattformgebühr vor Guthaben",
    fee_credits="Angerechnetes Gebührenguthaben",
    platform_fee_after="Plattformgebühr nach Guthaben",
    ops_fee="Betriebsgebühr",
    processing_fee="Bearbeitungsgebühr",
    tax="{kind} {rate} ({code}) auf {target} von {base}",
    included_taxes="Oben bereits enthaltene Steuern",
    exemption="befreit: {code}",
    line_tax="{kind} {rate} ({code}), {mode}: {amount}",
    tax_modes={"ADDED": "zuzüglich", "INCLUDED": "enthalten", "WITHHELD": "einbehalten"},
    tax_targets={
        "ITEMS": "Artikel",
        "PLATFORM_FEE": "die Plattformgebühr",
        "OPS_FEE": "die Betriebsgebühr",
        "PROCESSING_FEE": "die Bearbeitungsgebühr",
    },
    tax_kinds={"VAT": "USt", "SALES": "Verkaufssteuer", "WITHHOLDING": "Quellensteuer"},
    payment_names={
        "10": "Bargeld",
        "20": "Scheck",
        "30": "Überweisung",
        "42": "Bankkonto",
        "48": "Karte",
        "49": "Lastschrift",
        "54": "Kreditkarte",
        "55": "Debitkarte",
        "57": "Dauerauftrag",
        "58": "SEPA-Überweisung",
        "59": "SEPA-Lastschrift",
        "68": "Online-Zahlung",
    },
)

GERMAN = ReceiptWords(
    **vars(GERMAN_ORDER),
    title="Zahlungsbeleg",
    number="Belegnummer",
    total="Bezahlt",
    note="Dieser Beleg bestätigt Ihre Zahlung. Er ist keine Rechnung und gibt kein Recht auf Vorsteuerabzug.",
)

RECEIPT_WORDS = {"en": ENGLISH, "es": SPANISH, "de": GERMAN}
"""By the document's language."""
