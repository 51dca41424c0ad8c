"""The golden invoices and credit notes: every part of their templates, in each language."""

from typing import Any

from tests.support.invoice_contents import FISCAL, Rate, credit_note, fee, invoice, line

_MADRID = {
    "legalName": "Talleres Mecánicos y Electromecánicos Hermanos Güell-Ñíguez del Guadarrama, S.L.U.",
    "taxId": "B12345674",
    "address": {
        "line1": "Calle de la Encomienda de Palacios, 218, nave 4",
        "city": "Madrid",
        "postalCode": "28030",
        "countryCode": "ES",
    },
}
_TOKYO = {
    "legalName": "山内自動車部品株式会社 (Yamauchi Auto Parts K.K.)",
    "taxId": "T1234567890123",
    "address": {
        "line1": "桜坂三丁目十二番地八号",
        "city": "福岡市",
        "postalCode": "810-0024",
        "countryCode": "JP",
    },
}
_LEIPZIG = {
    "legalName": "Kraftfahrzeugwerkstätten Großmann & Söhne GmbH",
    "taxId": "DE136695976",
    "address": {
        "line1": "Große Fleischergasse 12",
        "city": "Leipzig",
        "postalCode": "04109",
        "countryCode": "DE",
    },
}
_SPANISH = {"language": "es", "countryCode": "ES", "currencyUomId": "EUR", "issuer": _MADRID}
_GERMAN = {"language": "de", "countryCode": "DE", "currencyUomId": "EUR", "issuer": _LEIPZIG}
_UST = {"STANDARD": Rate("USt", "19"), "INTRA_COMMUNITY": Rate("USt", "0", "VATEX-EU-IC")}
_IVA = Rate("IVA", "21")


def golden_invoices() -> dict[str, bytes]:
    """The canonical JSON of each golden invoice and credit note, by file name without suffix."""
    return {
        "invoice-en-plain": _plain(),
        "invoice-en-sales-tax": _sales_tax(),
        "invoice-en-many-pages": many_lines(90),
        "invoice-en-yen": _yen(),
        "invoice-en-dinars": _dinars(),
        "invoice-es-long-names": _long_names(),
        "invoice-es-reverse-charge": _reverse_charge(),
        "credit-note-en": _credit_note(),
        "credit-note-es": _spanish_credit_note(),
        "invoice-de": _german(),
        "credit-note-de": _german_credit_note(),
    }


def many_lines(count: int) -> bytes:
    """An invoice of so many lines."""
    return invoice(
        [
            line(
                "PART",
                f"Wiper blade, size {number}, pair",
                str(number % 4 + 1),
                (number % 4 + 1) * (1150 + number),
                unitAmount=1150 + number,
            )
            for number in range(1, count + 1)
        ],
        paymentTermsCode="NET30_EOM",
        dueDate="2026-04-30",
    )


def _plain() -> bytes:
    return invoice(
        [
            line(
                "LABOR", "Replace front brake pads and discs", "2.5", 21250, unitCode="HUR", unitAmount=8500
            ),
            line("PART", "Brake pads, front axle, set", "1", 6490, unitAmount=6490),
            line("PART", "Brake disc, ventilated, 280 mm", "2", 11800, unitAmount=5900, discountAmount=1180),
            line("PART", "Brake fluid DOT 4", "0.750", 674, unitCode="LTR", unitPrice="8.9850"),
            line("FEE", "Disposal of used parts", "1", 450, unitAmount=450),
            line("DISCOUNT", "Fleet customer discount", "1", 2000, unitAmount=2000),
        ]
    )


def _sales_tax() -> bytes:
    rates = {
        "STANDARD": Rate("US-CA", "7.25"),
        "OUT_OF_SCOPE": Rate("US-CA", "0", "US-LABOR-NOT-TAXED"),
    }
    issuer = {
        "legalName": "Larkfield Tire & Auto Inc.",
        "address": {
            "line1": "2210 Alder Street",
            "city": "Fresno",
            "region": "CA",
            "postalCode": "93706",
            "countryCode": "US",
        },
    }
    return invoice(
        [
            line("PART", "All-season tire 225/45 R17", "4", 51996, unitAmount=12999, discountAmount=5200),
            line(
                "LABOR",
                "Mount and balance four tires, replace valve stems, check alignment and pressure sensors",
                "1.25",
                13750,
                unitCode="HUR",
                unitAmount=11000,
                taxCategory="OUT_OF_SCOPE",
            ),
        ],
        rates,
        [fee("CA-TIRE", "California tire fee", "4", 700)],
        countryCode="US",
        currencyUomId="USD",
        issuer=issuer,
        billTo={"legalName": "Odile Farrow"},
        number="US-F-2026-000310",
        paymentTermsCode="DUE_ON_RECEIPT",
        dueDate="2026-03-14",
    )


def _yen() -> bytes:
    return invoice(
        [
            line("LABOR", "エンジンオイル交換（作業一式）", "1", 4500, unitAmount=4500),
            line("PART", "エンジンオイル 0W-20 全合成油", "4.2", 6930, unitCode="LTR", unitAmount=1650),
        ],
        {"STANDARD": Rate("JP-CT", "10")},
        countryCode="JP",
        currencyUomId="JPY",
        billTo=_TOKYO,
        paymentTermsCode="EOM",
        dueDate="2026-03-31",
    )


def _dinars() -> bytes:
    return invoice(
        [
            line(
                "PART",
                "Alternator, reconditioned",
                "1",
                123456789,
                unitAmount=123456789,
                taxCategory="ZERO",
            )
        ],
        {"ZERO": Rate("VAT", "0")},
        currencyUomId="KWD",
        billTo={"legalName": "Юрий Полянский · Ζωή Καλλέργη · 한서윤"},
        paymentTermsCode="NET7",
        dueDate="2026-03-21",
    )


def _long_names() -> bytes:
    return invoice(
        [
            line(
                "LABOR",
                "Desmontaje, revisión y montaje de la caja de cambios automática de ocho velocidades, con "
                "sustitución del convertidor de par y comprobación electrónica",
                "11.5",
                74750,
                unitCode="HUR",
                unitAmount=6500,
            ),
            line(
                "PART",
                "KUPPLUNGSSCHEIBENAUSRÜCKLAGERGEHÄUSEDICHTUNGSSATZ-8HP70-4711",
                "1",
                18990,
                unitAmount=18990,
            ),
            line("PART", "変速機用オイルフィルター", "2", 8400, unitAmount=4200, discountAmount=840),
            line(
                "PART", "Manual de usuario impreso", "1", 1500, unitAmount=1500, taxCategory="SUPER_REDUCED"
            ),
            line("FEE", "Gestión de residuos", "1", 1200, unitAmount=1200),
            line("DISCOUNT", "Descuento por fidelidad", "1", 5000, unitAmount=5000),
        ],
        {"STANDARD": _IVA, "SUPER_REDUCED": Rate("IVA", "4")},
        **_SPANISH,
        number="ES-F-2026/000204",
        billTo=_TOKYO,
        paymentTermsCode="NET60",
        dueDate="2026-05-13",
    )


def _reverse_charge() -> bytes:
    customer = {
        "legalName": "Oficinas Móveis do Tejo, Lda.",
        "taxId": "PT501234560",
        "address": {
            "line1": "Rua do Açúcar 40",
            "city": "Lisboa",
            "postalCode": "1950-006",
            "countryCode": "PT",
        },
    }
    rates = {
        "STANDARD": _IVA,
        "REVERSE_CHARGE": Rate("IVA", "0", "VATEX-EU-AE"),
        "INTRA_COMMUNITY": Rate("IVA", "0", "VATEX-EU-IC"),
        "EXEMPT": Rate("IVA", "0", "VATEX-EU-132"),
    }
    return invoice(
        [
            line(
                "LABOR",
                "Diagnóstico a distancia",
                "3",
                19500,
                unitCode="HUR",
                unitAmount=6500,
                taxCategory="REVERSE_CHARGE",
            ),
            line("PART", "Centralita de motor", "1", 84000, unitAmount=84000, taxCategory="INTRA_COMMUNITY"),
            line("LABOR", "Curso de seguridad", "1", 12000, unitAmount=12000, taxCategory="EXEMPT"),
            line("PART", "Aditivo", "1", 1250, unitAmount=1250),
        ],
        rates,
        **_SPANISH,
        number="ES-F-2026/000205",
        billTo=customer,
        paymentTermsCode="NET15",
        dueDate="2026-03-29",
    )


def _credit_note() -> bytes:
    return credit_note(
        [
            line("PART", "Brake disc, ventilated, 280 mm", "1", 5900, discountAmount=780),
            line(
                "LABOR", "Replace front brake pads and discs", "0.5", 4250, unitCode="HUR", discountAmount=190
            ),
        ]
    )


def _spanish_credit_note() -> bytes:
    changes: dict[str, Any] = {
        "number": "ES-C-2026/000012",
        "corrects": {"number": "ES-F-2026/000204", "issueDate": "2026-03-01"},
        "reasonCode": "CUSTOMER_REQUEST",
        "billTo": _TOKYO,
    }
    return credit_note(
        [
            line("PART", "変速機用オイルフィルター", "1", 4200, discountAmount=420),
            line("PART", "Manual de usuario impreso", "1", 1500, taxCategory="SUPER_REDUCED"),
        ],
        {"STANDARD": _IVA, "SUPER_REDUCED": Rate("IVA", "4")},
        [fee("ES-RAEE", "Tasa de reciclaje", "1", 35)],
        **_SPANISH,
        **changes,
    )


def _german() -> bytes:
    return invoice(
        [
            line(
                "LABOR",
                "Bremsscheiben und -klötze vorn ersetzen",
                "2.5",
                21250,
                unitCode="HUR",
                unitAmount=8500,
            ),
            line("PART", "Bremsscheibe, belüftet, 280 mm", "2", 11800, unitAmount=5900, discountAmount=1180),
            line("PART", "Motorsteuergerät", "1", 84000, unitAmount=84000, taxCategory="INTRA_COMMUNITY"),
            line("FEE", "Altteilentsorgung", "1", 450, unitAmount=450),
        ],
        _UST,
        **_GERMAN,
        number="DE-F-2026-000077",
        billTo=_TOKYO,
        paymentTermsCode="NET30",
        fiscal=FISCAL,
    )


def _german_credit_note() -> bytes:
    changes: dict[str, Any] = {
        "number": "DE-C-2026-000004",
        "corrects": {"number": "DE-F-2026-000077", "issueDate": "2026-03-01"},
        "reasonCode": "ERROR",
        "fiscal": {"chainHash": FISCAL["chainHash"]},
    }
    returned = [line("PART", "Bremsscheibe, belüftet, Ø 280 mm", "1", 5900, discountAmount=590)]
    return credit_note(returned, {"STANDARD": _UST["STANDARD"]}, **_GERMAN, **changes)
