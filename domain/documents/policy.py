"""Which documents there are, for whom and issued by whom, decided by policies that are data (S3 §4.2, §8.2).

The most specific policy that holds on the day and speaks of the document decides: one of the issuer's before
one of the tenant's, one of the country's, and the one for everything (ADR 0022).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import product
from typing import TypeVar, get_args

from pydantic import model_validator

from domain.documents.document_facts import Audience, DocType, Language, Verdict
from domain.documents.policy_data import (
    BuyerType,
    Conditions,
    LineKind,
    Outcome,
    Policy,
    PolicyDelivery,
    Practice,
    Rule,
    Source,
    TaxModel,
    Thresholds,
)
from domain.kernel.facts import CountryCode, Identifier, Value
from domain.kernel.money import CurrencyCode, MinorUnits

T = TypeVar("T")

DOC_TYPES: tuple[DocType, ...] = get_args(DocType)
SOURCES: tuple[Source, ...] = get_args(Source)

AUDIENCES: dict[DocType, Audience] = {
    "RECEIPT": "BUYER",
    "FISCAL_INVOICE": "BUYER",
    "CREDIT_NOTE": "BUYER",
    "ADJUSTMENT_STATEMENT": "BUYER",
    "SELLER_STATEMENT": "SELLER",
    "PAYOUT_STATEMENT": "SELLER",
    "LEDGER_EVIDENCE_PACK": "FINANCE",
    "AUDIT_EXPORT": "FINANCE",
}
"""For whom each type is. No policy can change that, for what a document shows hangs on it (S3 §5.3)."""


class Occasion(Value):
    """Something after which there might be a document, and what policies may ask about it.

    An order has a platform and a seller; of a work order `seller_id` is its issuer. `grand_total` is in minor
    units of `currency_uom_id`. `on` is the day on which it happened, in the issuer's time zone.
    `fiscal_invoice_issued`: whether there is a fiscal invoice of it that has a number.
    """

    tenant: str
    country_code: CountryCode
    source: Source
    doc_type: DocType
    platform_id: Identifier | None = None
    seller_id: Identifier
    buyer_type: BuyerType
    currency_uom_id: CurrencyCode
    grand_total: MinorUnits
    line_kinds: frozenset[LineKind]
    on: date
    fiscal_invoice_issued: bool = False

    @model_validator(mode="after")
    def _order_has_a_platform(self) -> "Occasion":
        if self.source == "ORDER" and self.platform_id is None:
            raise ValueError("an order has a platform")
        return self


class Ruling(Value):
    """What policies say of an occasion.

    `language` is the preferred one of `languages`, in which the document may be. `delivery_method` EMAIL
    is for readers who have an address. `tax_model` tells people what is usual there: a document's taxes are
    those of its snapshot. `retention_class` is how the vault classifies it. `explanation` names each rule
    that was looked at, and why it did or did not hold; it holds no personal data.
    """

    outcome: Outcome
    issuer_entity_id: Identifier
    audience: Audience
    language: Language
    languages: tuple[Language, ...]
    delivery_method: PolicyDelivery
    tax_model: TaxModel
    retention_class: str | None
    verdict: Verdict
    explanation: tuple[str, ...]


class DocumentPolicies:
    """All policies of one process; they never change while it runs."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        """`policies` as `read_policies` takes them: none contradicts another, and one is for everything."""
        self._policies = tuple(sorted(policies, key=_order, reverse=True))
        self._rules = {
            (doc_type, source): tuple(_rules_about(self._policies, doc_type, source))
            for doc_type, source in product(DOC_TYPES, SOURCES)
        }

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Every one, the most specific first."""
        return self._policies

    def rule_on(self, occasion: Occasion) -> Ruling:
        """What becomes of the document, for every country, on every day. Deterministic; raises nothing."""
        story: list[str] = []
        issuer_entity_id, whose = self._issuer(occasion)
        rules = [
            (policy, rule)
            for policy, rule in self._rules[occasion.doc_type, occasion.source]
            if _looked_at(policy, occasion, issuer_entity_id, story)
        ]
        policy, rule = rules[0]
        outcome, reason = _outcome(policy, rule, occasion, story)
        story.extend(f"{other} ({other.scope}) is less specific and is not asked." for other, _ in rules[1:])
        story.append(f"The issuer is {whose}.")
        languages = self._practice(occasion, issuer_entity_id, lambda practice: practice.languages)
        return Ruling(
            outcome=outcome,
            issuer_entity_id=issuer_entity_id,
            audience=AUDIENCES[occasion.doc_type],
            language=languages[0],
            languages=languages,
            delivery_method=next(
                (each.delivery_method for _, each in rules if each.delivery_method is not None), "EMAIL"
            ),
            tax_model=self._practice(occasion, issuer_entity_id, lambda practice: practice.tax_model),
            retention_class=next(
                (each.retention_class for _, each in rules if each.retention_class is not None), None
            ),
            verdict=Verdict(policy=policy.name, version=policy.version, reason=reason),
            explanation=tuple(story),
        )

    def _issuer(self, occasion: Occasion) -> tuple[str, str]:
        """Who issues the document, and in words whose rule that is.

        What is one issuer's policy cannot decide that, so those are not asked.
        """
        if occasion.source == "WORK_ORDER" or occasion.platform_id is None:
            return occasion.seller_id, "the work order's own"
        doc_type: DocType = "FISCAL_INVOICE" if occasion.doc_type == "CREDIT_NOTE" else occasion.doc_type
        policy, rule = next(
            (policy, rule)
            for policy, rule in self._rules[doc_type, occasion.source]
            if rule.names_issuer and _is_in_force(policy, occasion, None)
        )
        if rule.issuer_entity_id is not None:
            return rule.issuer_entity_id, f"the entity that {policy} names for {_about(doc_type, occasion)}"
        whose = f"the {'platform' if rule.issuer == 'PLATFORM' else 'seller'}, as {policy} says"
        issuer = occasion.platform_id if rule.issuer == "PLATFORM" else occasion.seller_id
        return issuer, f"{whose} for {_about(doc_type, occasion)}"

    def _practice(self, occasion: Occasion, issuer_entity_id: str, of: Callable[[Practice], T | None]) -> T:
        """What the most specific policy says of the occasion's country."""
        return _first(
            of(practice)
            for policy in self._policies
            if _is_in_force(policy, occasion, issuer_entity_id)
            for practice in _practices(policy, occasion.country_code)
        )


def _order(policy: Policy) -> tuple[object, ...]:
    """Name and version make it the same wherever the files stood."""
    return policy.scope.specificity, policy.valid_from, policy.name, policy.version


def _rules_about(
    policies: Iterable[Policy], doc_type: DocType, source: Source
) -> Iterator[tuple[Policy, Rule]]:
    for policy in policies:
        for rule in policy.rule:
            if rule.doc_type == doc_type and source in rule.sources:
                yield policy, rule


def _practices(policy: Policy, country_code: str) -> tuple[Practice, ...]:
    """What a policy says of a country: in particular before in general."""
    in_particular = (each for each in policy.country if each.codes is not None and country_code in each.codes)
    return (*in_particular, *(each for each in policy.country if each.codes is None))


def _first(said: Iterable[T | None]) -> T:
    """What the most specific of them says, for the policy for everything leaves nothing out."""
    return next(each for each in said if each is not None)


def _is_in_force(policy: Policy, occasion: Occasion, issuer_entity_id: str | None) -> bool:
    return (
        policy.scope.issuer_entity_id in (None, issuer_entity_id)
        and policy.scope.fits(occasion.tenant, occasion.country_code)
        and policy.holds(occasion.on)
    )


def _looked_at(policy: Policy, occasion: Occasion, issuer_entity_id: str, story: list[str]) -> bool:
    """Whether a policy that speaks of the document is in force; told where issuer or day keep it out."""
    if not policy.scope.fits(occasion.tenant, occasion.country_code):
        return False
    if policy.scope.issuer_entity_id not in (None, issuer_entity_id):
        story.append(f"{policy} ({policy.scope}) is for documents of another issuer.")
        return False
    if not policy.holds(occasion.on):
        days = f"from {policy.valid_from}" + (f" to {policy.valid_to}" if policy.valid_to else "")
        story.append(f"{policy} ({policy.scope}) holds {days}, not on {occasion.on}.")
        return False
    return True


def _outcome(policy: Policy, rule: Rule, occasion: Occasion, story: list[str]) -> tuple[Outcome, str]:
    """What the deciding rule comes to, and the reason for the record."""
    decides = f"{policy} ({policy.scope}) decides about {_about(occasion.doc_type, occasion)}"
    if rule.otherwise is None:
        story.append(f"{decides}: {rule.outcome}. {rule.reason}")
        return rule.outcome, rule.reason
    story.append(f"{decides}: {rule.outcome} where conditions hold, else {rule.otherwise}. {rule.reason}")
    for conditions in rule.when:
        findings = list(_findings(conditions, occasion))
        if all(holds for holds, _ in findings):
            found = ", ".join(told for _, told in findings)
            story.append(f"The conditions hold, so {rule.outcome}: {found}.")
            return rule.outcome, rule.reason
        found = ", ".join(told for holds, told in findings if not holds)
        story.append(f"Conditions do not hold: {found}.")
    story.append(f"So it is {rule.otherwise}.")
    return rule.otherwise, f"{rule.reason} Its conditions do not hold here."


def _findings(conditions: Conditions, occasion: Occasion) -> Iterator[tuple[bool, str]]:
    """Of each condition whether it holds, and in words what was found."""
    if conditions.buyer_types is not None:
        holds = occasion.buyer_type in conditions.buyer_types
        yield holds, f"the buyer is {occasion.buyer_type}, asked for is {' or '.join(conditions.buyer_types)}"
    kinds = " and ".join(sorted(occasion.line_kinds)) or "nothing"
    if conditions.any_line_kind is not None:
        holds = not occasion.line_kinds.isdisjoint(conditions.any_line_kind)
        yield holds, f"it is about {kinds}, asked for is any {' or '.join(conditions.any_line_kind)}"
    if conditions.only_line_kinds is not None:
        holds = bool(occasion.line_kinds) and occasion.line_kinds.issubset(conditions.only_line_kinds)
        yield holds, f"it is about {kinds}, asked for is only {' or '.join(conditions.only_line_kinds)}"
    if conditions.grand_total_at_least is not None:
        least = conditions.grand_total_at_least.get(occasion.currency_uom_id)
        holds = least is not None and occasion.grand_total >= least
        yield holds, _told_total(occasion, "at least", conditions.grand_total_at_least)
    if conditions.grand_total_at_most is not None:
        most = conditions.grand_total_at_most.get(occasion.currency_uom_id)
        holds = most is not None and occasion.grand_total <= most
        yield holds, _told_total(occasion, "at most", conditions.grand_total_at_most)
    if conditions.fiscal_invoice_issued is not None:
        holds = occasion.fiscal_invoice_issued is conditions.fiscal_invoice_issued
        was = "one was" if occasion.fiscal_invoice_issued else "none was"
        asked = "that one was" if conditions.fiscal_invoice_issued else "that none was"
        yield holds, f"of fiscal invoices {was} issued, asked for is {asked}"


def _told_total(occasion: Occasion, how: str, thresholds: Thresholds) -> str:
    currency = occasion.currency_uom_id
    if currency not in thresholds:
        return f"there is no threshold in {currency}"
    return (
        f"the grand total is {occasion.grand_total}, asked for is {how} {thresholds[currency]}"
        f" (minor units of {currency})"
    )


def _about(doc_type: DocType, occasion: Occasion) -> str:
    return f"{doc_type} of {'an order' if occasion.source == 'ORDER' else 'a work order'}"
