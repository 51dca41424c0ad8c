"""The tax and fee rules of one jurisdiction on one day, and which of them a line falls under.

Nothing here knows a rate: rules come from data files (`tables.py`). What no rule covers is refused, never
left untaxed (BILL-DEC-002).
"""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.fiscal.taxes.categories import UNTAXED, TaxCategory
from domain.kernel.data_files import Period
from domain.kernel.errors import DomainError
from domain.kernel.facts import CountryCode, Value
from domain.kernel.money import CurrencyCode, MinorUnits, half_up

ChargeKind = Literal["LABOR", "PART", "FEE"]
"""The kinds of line that charge something; a DISCOUNT reduces them."""

TaxKind = Literal["VAT", "SALES"]

CustomerRequirement = Literal["ANY", "EU_BUSINESS_ABROAD", "OUTSIDE_EU", "ABROAD"]
"""To whom a rule applies: anybody; a business with a tax id in another EU country; somebody elsewhere."""

RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{4,60}$")]
RatePercent = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]?)(\.[0-9]{1,4})?$")]
"""A rate in per cent, exactly as the law has it: Minnesota's 6.875 is no whole number of basis points."""

EU_COUNTRIES = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT"),
        *("LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    )
)
"""The members of the European Union, whose businesses account for tax themselves across borders."""


class Customer(Value):
    """What taxes depend on of the one who pays: `country_code` is that of the tax id, or of the address."""

    classification: Literal["B2C", "B2B"]
    tax_id_present: bool = False
    country_code: CountryCode | None = None


class Dated(Period):
    """A rule that holds for a period, by the law that `source` names."""

    id: RuleId
    regions: tuple[str, ...] = ()
    everywhere: bool = False
    source: str


class TaxRule(Dated):
    """One rate: what lines of `category` and `line_kinds` are charged.

    `charged_as` is the category that the invoice shows where it is another one (repair labor that a state
    does not tax). `parts_on_invoice` restricts it to invoices with, or without, parts (Florida).
    """

    tax_code: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    kind: TaxKind
    category: TaxCategory
    line_kinds: Annotated[tuple[ChargeKind, ...], Field(min_length=1)] = ("LABOR", "PART", "FEE")
    rate_percent: RatePercent
    charged_as: TaxCategory | None = None
    parts_on_invoice: bool | None = None
    customer: CustomerRequirement = "ANY"
    exemption_reason_code: Annotated[str, StringConstraints(min_length=1, max_length=50)] | None = None

    @model_validator(mode="after")
    def _rate_and_reason_agree(self) -> "TaxRule":
        untaxed = self.shown_category in UNTAXED
        if untaxed and self.rate:
            raise ValueError("a category without tax has a rate")
        if untaxed != (self.exemption_reason_code is not None):
            raise ValueError("exemptionReasonCode goes with exactly the categories without tax")
        return self

    @property
    def shown_category(self) -> TaxCategory:
        """The category that the invoice shows."""
        return self.charged_as or self.category

    @property
    def rate(self) -> Fraction:
        """The rate as an exact fraction of the base."""
        return Fraction(Fraction(self.rate_percent), 100)

    @property
    def rate_basis_points(self) -> int:
        """The rate in basis points, the nearest where the law's is finer."""
        return half_up(self.rate * 10_000)


class Classified(Value):
    """Codes of one classification scheme."""

    scheme: str
    codes: Annotated[tuple[str, ...], Field(min_length=1)]


class FeeRule(Dated):
    """An amount that the law adds for each piece of certain parts (a tire, a battery)."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    label: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    currency_uom_id: CurrencyCode
    unit_amount: MinorUnits
    tax_category: TaxCategory
    classified: Classified

    def is_due_on(self, scheme: str, code: str) -> bool:
        """Whether a part with that classification owes it."""
        return scheme.upper() == self.classified.scheme and code in self.classified.codes


class TaxRules(Value):
    """What holds in one jurisdiction on one day; `version` is what an invoice freezes (`MX/2026-11-21#1`)."""

    jurisdiction: str
    version: str
    country_code: CountryCode
    taxes: tuple[TaxRule, ...]
    fees: tuple[FeeRule, ...]

    def tax_for(
        self, kind: ChargeKind, category: TaxCategory | None, has_parts: bool, customer: Customer, field: str
    ) -> TaxRule:
        """The rule that a line falls under.

        `has_parts` says whether the invoice has any PART line, `field` is the path of the tax category.
        Raises BILLING_DATA_INCOMPLETE with that path where no rule covers the line, or with the customer's
        fields that the rule asks for.
        """
        for rule in self.taxes:
            if (
                rule.category == category
                and kind in rule.line_kinds
                and rule.parts_on_invoice in (None, has_parts)
            ):
                self._check_customer(rule, customer)
                return rule
        raise DomainError(
            "BILLING_DATA_INCOMPLETE",
            f"No tax rule of {self.jurisdiction} covers the tax category of a {kind} line.",
            missing_fields=(field,),
        )

    def _check_customer(self, rule: TaxRule, customer: Customer) -> None:
        """Raises BILLING_DATA_INCOMPLETE where the customer is not, or not known to be, as the rule asks."""
        country, ours = customer.country_code, self.country_code
        abroad = country is not None and country not in (ours, "ZZ")
        missing: list[str] = []
        match rule.customer:
            case "ANY":
                return
            case "EU_BUSINESS_ABROAD":
                if customer.classification != "B2B":
                    missing.append("customerAccount.classification")
                if not customer.tax_id_present:
                    missing.append("customerAccount.taxId")
                fits = abroad and country in EU_COUNTRIES
            case "OUTSIDE_EU":
                fits = abroad and country not in EU_COUNTRIES
            case "ABROAD":
                fits = abroad
        if not fits:
            missing.append("customerAccount.billingAddress.countryCode")
        if missing:
            raise DomainError(
                "BILLING_DATA_INCOMPLETE",
                f"The customer is not known to be one to whom the rule {rule.id} applies.",
                missing_fields=tuple(missing),
            )
