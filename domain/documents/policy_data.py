"""What a document policy says, as its file has it: for what, from when, which documents there are and how.

A policy says as much as it wants to; what it leaves out, the next less specific one says (ADR 0022, S3 §8.2).
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.documents.document_facts import DocType, Language
from domain.kernel.data_files import Period
from domain.kernel.facts import CountryCode, Identifier, Value
from domain.kernel.money import CurrencyCode, MinorUnits

Source = Literal["ORDER", "WORK_ORDER"]
"""What a document is about."""

BuyerType = Literal["B2C", "B2B"]
LineKind = Literal["GOODS", "SERVICE"]

Outcome = Literal["AUTOMATIC", "ON_DEMAND", "FORBIDDEN"]
"""A document is issued by itself, or when somebody asks for it, or never."""

PolicyDelivery = Literal["EMAIL", "PORTAL"]
"""How a document goes out whose reader chose nothing; EMAIL where no rule speaks of it."""

TaxModel = Literal["INCLUDED", "ADDED"]
"""How prices are quoted there: with taxes in them, or without. It is told; amounts come from snapshots."""

Thresholds = Annotated[dict[CurrencyCode, MinorUnits], Field(min_length=1)]
"""An amount a currency. In other currencies the condition does not hold."""

Sentence = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1F\x7F]+\.$")]
"""In one line and with its full stop, for others follow it."""


class Conditions(Value):
    """What must be so, all of it.

    `any_line_kind` asks that at least one line is of such a kind, `only_line_kinds` that all are.
    """

    buyer_types: Annotated[tuple[BuyerType, ...] | None, Field(min_length=1)] = None
    any_line_kind: Annotated[tuple[LineKind, ...] | None, Field(min_length=1)] = None
    only_line_kinds: Annotated[tuple[LineKind, ...] | None, Field(min_length=1)] = None
    grand_total_at_least: Thresholds | None = None
    grand_total_at_most: Thresholds | None = None
    fiscal_invoice_issued: Annotated[bool | None, Field(strict=True)] = None

    @model_validator(mode="after")
    def _says_something(self) -> "Conditions":
        if not self.model_fields_set:
            raise ValueError("a condition is missing: without any, leave `when` and `otherwise` out")
        return self


class Rule(Value):
    """What becomes of one type of document: `outcome`, or `otherwise` where none of `when` holds.

    An order's document is issued by its `issuer`, or by the entity of that id; a work order's by its own
    issuer, a credit note by who issues the fiscal invoice, so rules about these name none. `reason` says why
    the rule is there, in a sentence that is recorded with each document.
    """

    doc_type: DocType
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    outcome: Outcome
    otherwise: Outcome | None = None
    when: tuple[Conditions, ...] = ()
    issuer: Literal["PLATFORM", "SELLER"] | None = None
    issuer_entity_id: Identifier | None = None
    delivery_method: PolicyDelivery | None = None
    retention_class: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,49}$")] | None = None
    reason: Sentence

    @model_validator(mode="after")
    def _is_conditional_or_not(self) -> "Rule":
        if bool(self.when) != (self.otherwise is not None):
            raise ValueError("`when` and `otherwise` go together")
        if self.otherwise == self.outcome:
            raise ValueError("`otherwise` is the outcome that there is anyway")
        return self

    @model_validator(mode="after")
    def _has_one_issuer_at_most(self) -> "Rule":
        if self.issuer is not None and self.issuer_entity_id is not None:
            raise ValueError("either `issuer` or `issuer_entity_id`")
        return self

    @property
    def names_issuer(self) -> bool:
        """Whether it says who issues the document."""
        return self.issuer is not None or self.issuer_entity_id is not None


class Practice(Value):
    """How documents are made in some countries, or without `codes` in all others of the policy's scope.

    `languages` are those that documents may have there, the preferred one first.
    """

    codes: Annotated[tuple[CountryCode, ...] | None, Field(min_length=1)] = None
    languages: Annotated[tuple[Language, ...] | None, Field(min_length=1)] = None
    tax_model: TaxModel | None = None

    @model_validator(mode="after")
    def _says_something_once(self) -> "Practice":
        if self.languages is None and self.tax_model is None:
            raise ValueError("`languages` or `tax_model` is missing")
        if self.languages is not None and len(set(self.languages)) != len(self.languages):
            raise ValueError("a language is there twice")
        return self


class Scope(Value):
    """For what a policy is made: some countries, a tenant, an issuer; what it leaves out is not looked at."""

    country_codes: Annotated[tuple[CountryCode, ...] | None, Field(min_length=1)] = None
    tenant: Identifier | None = None
    issuer_entity_id: Identifier | None = None

    @property
    def specificity(self) -> tuple[bool, bool, bool]:
        """Of two scopes that both fit, the greater one decides: issuer, then tenant, then country."""
        return (
            self.issuer_entity_id is not None,
            self.tenant is not None,
            self.country_codes is not None,
        )

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return not any(self.specificity)

    def fits(self, tenant: str, country_code: str) -> bool:
        """Whether that tenant and country are in it; its issuer aside."""
        return self.tenant in (None, tenant) and (
            self.country_codes is None or country_code in self.country_codes
        )

    def rivals(self, other: "Scope") -> bool:
        """Whether something can be in both scopes, and neither is the more specific one."""
        if self.specificity != other.specificity:
            return False
        same = (self.tenant, self.issuer_entity_id) == (other.tenant, other.issuer_entity_id)
        return same and (
            self.country_codes is None or not set(self.country_codes).isdisjoint(other.country_codes or ())
        )

    def __str__(self) -> str:
        """For people: `MX, ES; tenant acme`. Issuers are not named, for one may be a natural person."""
        return "; ".join(
            (
                "every country" if self.country_codes is None else ", ".join(self.country_codes),
                *([] if self.tenant is None else [f"tenant {self.tenant}"]),
                *([] if self.issuer_entity_id is None else ["one issuer"]),
            )
        )


class Policy(Period):
    """One edition of a policy, which is one file. Another edition is another file with days of its own."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{1,59}$")]
    version: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}#[1-9]\d*$")]
    covers: Annotated[str, StringConstraints(min_length=1)]
    scope: Scope = Scope()
    country: tuple[Practice, ...] = ()
    rule: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> "Policy":
        if not self.country and not self.rule:
            raise ValueError("there is no [[rule]] and no [[country]]")
        return self

    def __str__(self) -> str:
        """Its name and version."""
        return f"{self.name} {self.version}"
