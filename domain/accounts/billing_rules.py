"""An account's billing rules: how it is invoiced, what its purchase orders must satisfy (BILL-DEC-006, S4).

One command, an idempotent upsert in either seed's vocabulary. Rules set for an account that becomes another's
alias are adopted by that one, with their id and revision (ADR 0018).
"""

from typing import Annotated, Any, assert_never

from pydantic import Field, StringConstraints

from domain.accounts.account import Account, Flag
from domain.accounts.choices import DeliveryMethod, GroupingStrategy, PoUniquenessScope
from domain.accounts.names import PartyId
from domain.accounts.payment_terms import TermsCode
from domain.kernel.card_numbers import WITHOUT_CARD_DATA
from domain.kernel.errors import DomainError, FieldError
from domain.kernel.facts import NO_CONTROLS, Fact, Utc, Uuid, Value
from domain.kernel.streams import EventType, StreamType

LONGEST_PATTERN = 200
"""Characters of a `poFormatRegex`: more than any purchase order's format needs."""

_Pattern = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=LONGEST_PATTERN, pattern=NO_CONTROLS),
    Field(json_schema_extra={"format": "regex"}),
]


class RulesRequest(Value):
    """What a client may set, in S4's vocabulary, S1's or both.

    Fields left out keep their value. `po_format_regex` is taken away by null; null elsewhere leaves out.
    Who speaks S4's vocabulary names the party (`party_id`) beside the path; S1's has no word for it.
    """

    party_id: PartyId | None = None
    purchase_order_required: Flag | None = None
    is_po_required: Flag | None = None
    payment_terms_code: TermsCode | None = None
    payment_terms_id: TermsCode | None = None
    invoice_delivery_method: DeliveryMethod
    invoice_grouping_strategy: GroupingStrategy
    po_format_regex: Annotated[_Pattern | None, WITHOUT_CARD_DATA] = None
    po_uniqueness_scope: PoUniquenessScope | None = None
    override_allowed: Flag | None = None
    override_requires_second_approver: Flag | None = None
    override_reason_code_required: Flag | None = None
    partial_payments_allowed: Flag | None = None


class RulesTerms(Value):
    """The rules themselves; each default is what applies where nobody ever chose (S4's safe defaults).

    An override needs a permission and an elevation anyway (BILL-DEC-009), so it is allowed unless an account
    forbids it; so are partial payments (BILL-DEC-012).
    """

    purchase_order_required: bool = False
    payment_terms_code: TermsCode = "DUE_ON_RECEIPT"
    invoice_delivery_method: DeliveryMethod = "PORTAL"
    invoice_grouping_strategy: GroupingStrategy = "PER_WORKORDER"
    po_format_regex: str | None = None
    po_uniqueness_scope: PoUniquenessScope = "NONE"
    override_allowed: bool = True
    override_requires_second_approver: bool = False
    override_reason_code_required: bool = True
    partial_payments_allowed: bool = True


class BillingRules(Value):
    """An account's rules as they stand. `revision` counts what changed; times are UTC."""

    rules_id: str
    revision: Annotated[int, Field(ge=1)]
    terms: RulesTerms
    created_at: Utc
    updated_at: Utc
    updated_by: str
    adopted_from: Uuid | None = None


class RulesConfigured(Fact):
    """Somebody set the rules. `rules_id` names them for good."""

    rules_id: str
    terms: RulesTerms
    configured_by: str
    configured_at: Utc


class RulesAdopted(Fact):
    """The rules of an account that became a name of this one are this one's from now on."""

    from_account_id: Uuid
    rules: BillingRules


def configure_rules(
    rules: BillingRules | None,
    request: RulesRequest,
    *,
    rules_id: str,
    configured_by: str,
    at: Utc,
    expected_revision: int | None = None,
    etag_required: bool = False,
) -> tuple[RulesConfigured, ...]:
    """Creates or updates the rules; () where nothing changes.

    `rules_id` is the id of new rules. Raises `VALIDATION_FAILED` naming the fields; `STALE_ETAG` where
    another revision was expected, even if nothing would change; `ETAG_REQUIRED` where a change must name the
    revision that it changes and does not.
    """
    revision = 0 if rules is None else rules.revision
    if expected_revision is not None and expected_revision != revision:
        raise DomainError("STALE_ETAG", "The rules have changed since they were read; read them again.")
    terms = merged_terms(None if rules is None else rules.terms, request)
    if rules is not None and rules.terms == terms:
        return ()
    if rules is not None and etag_required:
        raise DomainError("ETAG_REQUIRED", "To change rules, send the ETag that GET answered as If-Match.")
    configured = RulesConfigured(
        rules_id=rules_id if rules is None else rules.rules_id,
        terms=terms,
        configured_by=configured_by,
        configured_at=at,
    )
    return (configured,)


def adopt_rules(
    rules: BillingRules | None, of_alias: BillingRules | None, alias_id: str
) -> tuple[RulesAdopted, ...]:
    """Takes over the rules of an account that becomes an alias; rules of one's own stand."""
    if rules is not None or of_alias is None:
        return ()
    return (RulesAdopted(from_account_id=alias_id, rules=of_alias),)


def merged_terms(before: RulesTerms | None, request: RulesRequest) -> RulesTerms:
    """The rules after a request. Raises `VALIDATION_FAILED` naming the fields."""
    errors: list[FieldError] = []
    terms_code = _either(errors, request, "payment_terms_code", "payment_terms_id")
    po_required = _either(errors, request, "purchase_order_required", "is_po_required")
    if terms_code is None:
        errors.append(FieldError("paymentTermsCode", "MISSING", "It is required."))
    if errors:
        raise DomainError("VALIDATION_FAILED", "The request is malformed.", field_errors=tuple(errors))
    chosen = {name: getattr(request, name) for name in RulesTerms.model_fields}
    chosen |= {"payment_terms_code": terms_code, "purchase_order_required": po_required}
    changes = {name: value for name, value in chosen.items() if value is not None}
    if "po_format_regex" in request.model_fields_set:
        changes["po_format_regex"] = request.po_format_regex
    return (before or RulesTerms()).model_copy(update=changes)


def effective_rules(rules: BillingRules | None, account: Account | None) -> RulesTerms:
    """The rules that apply: the account's, or safe defaults (contract §5).

    Those ask for no purchase order, are due on receipt and deliver by e-mail where there is an address.
    """
    if rules is not None:
        return rules.terms
    has_email = account is not None and account.email is not None
    return RulesTerms(invoice_delivery_method="EMAIL" if has_email else "PORTAL")


def _either(errors: list[FieldError], request: RulesRequest, first: str, second: str) -> Any:
    """The one value that two names of a field have, if any; an error for each where they differ."""
    values = [getattr(request, name) for name in (first, second)]
    given = [value for value in values if value is not None]
    if len(set(given)) > 1:
        for name in (first, second):
            alias = RulesRequest.model_fields[name].alias or name
            errors.append(FieldError(alias, "DIFFERS", "Two names of one field have different values."))
    return given[0] if given else None


def _evolve(rules: BillingRules | None, fact: RulesConfigured | RulesAdopted) -> BillingRules:
    match fact:
        case RulesConfigured():
            return BillingRules(
                rules_id=fact.rules_id,
                revision=1 if rules is None else rules.revision + 1,
                terms=fact.terms,
                created_at=fact.configured_at if rules is None else rules.created_at,
                updated_at=fact.configured_at,
                updated_by=fact.configured_by,
                adopted_from=None if rules is None else rules.adopted_from,
            )
        case RulesAdopted():
            return fact.rules.model_copy(update={"adopted_from": fact.from_account_id})
        case _:
            assert_never(fact)


BILLING_RULES: StreamType[BillingRules] = StreamType(
    "billing-rules",
    (
        EventType("billing-rules.configured", RulesConfigured),
        EventType("billing-rules.adopted", RulesAdopted),
    ),
    _evolve,
)
