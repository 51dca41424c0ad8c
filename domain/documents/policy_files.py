"""Policy files read and checked, each alone and all together (ADR 0022).

Files are TOML (`domain/documents/policies`, and the operator's own). Who reads them hands their text in; this
module does no I/O.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, product

from domain.documents.document_facts import DocType
from domain.documents.policy import DOC_TYPES, SOURCES, DocumentPolicies
from domain.documents.policy_data import Outcome, Policy, Practice, Source
from domain.kernel.data_files import Fault, faulty, read_data_file

_FIXED: dict[tuple[DocType, Source], Outcome] = {
    ("RECEIPT", "ORDER"): "AUTOMATIC",
    ("ADJUSTMENT_STATEMENT", "ORDER"): "AUTOMATIC",
    ("FISCAL_INVOICE", "WORK_ORDER"): "AUTOMATIC",
    ("CREDIT_NOTE", "WORK_ORDER"): "AUTOMATIC",
    ("RECEIPT", "WORK_ORDER"): "AUTOMATIC",
    ("ADJUSTMENT_STATEMENT", "WORK_ORDER"): "AUTOMATIC",
    ("SELLER_STATEMENT", "WORK_ORDER"): "FORBIDDEN",
    ("PAYOUT_STATEMENT", "WORK_ORDER"): "FORBIDDEN",
    ("LEDGER_EVIDENCE_PACK", "ORDER"): "FORBIDDEN",
    ("LEDGER_EVIDENCE_PACK", "WORK_ORDER"): "FORBIDDEN",
    ("AUDIT_EXPORT", "ORDER"): "FORBIDDEN",
    ("AUDIT_EXPORT", "WORK_ORDER"): "FORBIDDEN",
}
"""What policies can say how, but not whether.

A paid order always has a receipt, a refund that is not credited an adjustment (S3 §4.1, §4.4), an issued
invoice its document (contract §5). The others cannot be made of an order, or of a work order.
"""


@dataclass(frozen=True)
class _PolicyFile:
    """A file that is sound by itself."""

    name: str
    text: str
    policy: Policy


def read_policies(texts: Mapping[str, str]) -> DocumentPolicies:
    """The policies in the files of these names. Raises ValueError whose every line names a file and a line.

    Together they rule on everything: one policy is for every country and holds on each day, and no two of the
    same scope hold on the same day.
    """
    told: list[str] = []
    files: list[_PolicyFile] = []
    for name, text in texts.items():
        try:
            files.append(_PolicyFile(name, text, read_policy(name, text)))
        except ValueError as error:
            told.append(str(error))
    found: dict[str, list[Fault]] = {file.name: [] for file in files}
    for one, other in combinations(files, 2):
        found[other.name] += _rivalry(one.policy, other.policy)
    if not told:
        _check_everything_is_covered(files, found)
    told += [str(faulty(file.name, file.text, found[file.name])) for file in files if found[file.name]]
    if told:
        raise ValueError("\n".join(told))
    return DocumentPolicies(file.policy for file in files)


def read_policy(file_name: str, text: str) -> Policy:
    """The policy in a file's text. Raises ValueError whose every line names the file and a line of it."""
    policy = read_data_file(Policy, file_name, text)
    faults = [*_faults_of_rules(policy), *_faults_of_countries(policy)]
    if faults:
        raise faulty(file_name, text, faults)
    return policy


def _faults_of_rules(policy: Policy) -> Iterator[Fault]:
    """What a rule alone cannot know: who issues is not for everybody to say, and nothing is said twice."""
    seen: set[tuple[str, str]] = set()
    for index, rule in enumerate(policy.rule):
        field = "issuer" if rule.issuer is not None else "issuer_entity_id"
        if rule.names_issuer and policy.scope.issuer_entity_id is not None:
            yield ("rule", index, field), "a policy of one issuer cannot say who issues"
        elif rule.names_issuer and rule.doc_type == "CREDIT_NOTE":
            yield ("rule", index, field), "a credit note is issued by who issues the fiscal invoice"
        elif rule.names_issuer and rule.sources == ("WORK_ORDER",):
            yield ("rule", index, field), "documents of a work order are issued by its own issuer"
        for source in rule.sources:
            fixed = _FIXED.get((rule.doc_type, source))
            if fixed is not None and (rule.outcome != fixed or rule.otherwise is not None):
                yield ("rule", index, "outcome"), f"{rule.doc_type} of {source} can only be {fixed}"
            if (rule.doc_type, source) in seen:
                yield (
                    ("rule", index, "doc_type"),
                    f"there is another rule about {rule.doc_type} of {source}",
                )
            seen.add((rule.doc_type, source))


def _faults_of_countries(policy: Policy) -> Iterator[Fault]:
    within = policy.scope.country_codes
    seen: set[tuple[str, str]] = set()
    for index, practice in enumerate(policy.country):
        for code in practice.codes or ():
            if within is not None and code not in within:
                yield ("country", index, "codes"), f"{code} is not in the policy's scope"
        for field in ("languages", "tax_model"):
            for code in practice.codes or ("every other country",):
                if getattr(practice, field) is not None and (code, field) in seen:
                    yield ("country", index, field), f"said before, for {code}"
                if getattr(practice, field) is not None:
                    seen.add((code, field))


def _rivalry(one: Policy, other: Policy) -> Iterator[Fault]:
    if one.scope.rivals(other.scope) and one.shares_a_day_with(other):
        yield (
            ("valid_from",),
            f"{other} and {one} hold on the same day for the same scope: {other.scope}",
        )
    if (one.name, one.version) == (other.name, other.version):
        yield ("version",), f"another file is {one}, too: documents could not tell by which they were made"


def _check_everything_is_covered(files: list[_PolicyFile], found: dict[str, list[Fault]]) -> None:
    """Adds what keeps the policies for everything from ruling on everything, every day."""
    general = sorted(
        (file for file in files if file.policy.scope.is_everything), key=lambda file: file.policy.valid_from
    )
    if not general:
        raise ValueError("no policy is for every country: the packaged one is missing")
    begins: date | None = date.min
    for file in general:
        found[file.name] += _left_out(file.policy)
        if begins is not None and file.policy.valid_from > begins:
            found[file.name].append((("valid_from",), f"no policy for every country holds on {begins}"))
        last = file.policy.valid_to
        begins = None if last is None or last == date.max else last + timedelta(days=1)
    if begins is not None:
        found[general[-1].name].append((("valid_to",), f"no policy for every country holds on {begins}"))


def _left_out(policy: Policy) -> Iterator[Fault]:
    """What the policy for everything has to say, because nobody else would."""
    rules = {
        (rule.doc_type, source): (index, rule)
        for index, rule in enumerate(policy.rule)
        for source in rule.sources
    }
    for doc_type, source in product(DOC_TYPES, SOURCES):
        if (doc_type, source) not in rules:
            yield ("scope",), f"a policy for everything rules on {doc_type} of {source}, too"
            continue
        index, rule = rules[doc_type, source]
        if source == "ORDER" and doc_type != "CREDIT_NOTE" and not rule.names_issuer:
            yield ("rule", index), "a policy for everything says who issues"
    others = [practice for practice in policy.country if practice.codes is None]
    if not _say_all(others):
        yield ("country",), "a policy for everything says `languages` and `tax_model` for every other country"


def _say_all(practices: list[Practice]) -> bool:
    return any(each.languages for each in practices) and any(each.tax_model for each in practices)
