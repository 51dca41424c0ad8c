"""schemathesis asks every operation of the OpenAPI document, over the network, and judges every answer."""

import itertools
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from schemathesis import Case, HookContext, Response, engine
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.engine import events

from tests.support.garage import Garage
from tests.support.house import House
from tests.support.openapi_examples import Seeded, with_examples

pytestmark = pytest.mark.slow

SEED = 20260314
EXAMPLES_AN_OPERATION = 25
KNOWN_SHARE = 0.7
"""How often made-up requests name something that exists."""

SUCCESSES = {200, 201, 202}
SUCCESS_SHARE = 0.15
"""Of all answers at least; most requests are malformed on purpose. It is above a fifth today."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "ignored_auth",
    "unsupported_method",
    "allow_header_conformance",
)
LEFT_OUT = {
    "positive_data_acceptance": "JSON Schema cannot tell all that is refused, as asOf beside asOfPosition",
    "use_after_free": "nothing is ever deleted",
    "ensure_resource_availability": "nothing is ever deleted, and what a POST made is not read below its URL",
    "object_level_authorization": "needs two users who own things by turns; test_http_scopes.py shows it",
    "max_response_time": "a shared machine's speed says nothing; the benchmarks measure",
}


@dataclass
class Judged:
    """What was asked, what was answered, and what was wrong with that."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def take(self, event: events.EngineEvent) -> None:
        """Notes what an event of the engine tells."""
        match event:
            case events.ScenarioFinished(recorder=recorder):
                for interaction in recorder.interactions.values():
                    if interaction.response is not None:
                        self.statuses[recorder.label][interaction.response.status_code] += 1
                for check in (check for checks in recorder.checks.values() for check in checks):
                    if (info := check.failure_info) is not None:
                        found = (check.name, recorder.label, info.failure.title)
                        self.wrong.setdefault(found, f"{info.failure.message}\n{info.code_sample}")
            case events.NonFatalError(label=label, value=error):
                self.wrong[("error", label, type(error).__name__)] = str(error)
            case events.FatalError(exception=error):
                raise error

    def told(self) -> str:
        """Everything that was wrong, for people."""
        return "\n\n".join(f"{' | '.join(found)}\n{how}" for found, how in sorted(self.wrong.items()))


def _config(token: str, seeded: Seeded, seed: int) -> SchemathesisConfig:
    names = {parameter: parameter.replace(".", "-") for parameter in seeded.values()}
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "auth": {"openapi": {"bearer": {"bearer": token}}},
            "continue-on-failure": True,
            "request-timeout": 30,
            "cache": {"enabled": False},
            "generation": {
                "max-examples": EXAMPLES_AN_OPERATION,
                "no-shrink": True,
                "database": "none",
                # What nobody described is ignored where it is a header or in the query, as HTTP has it.
                "allow-extra-parameters": False,
            },
            "dictionaries": {names[name]: {"values": values} for name, values in seeded.values().items()},
            "parameters": {
                name: {"dictionary": dictionary, "probability": KNOWN_SHARE}
                for name, dictionary in names.items()
            },
            "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
            # What came back before would make a run depend on how fast answers come.
            "phases": {
                "fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}},
                "examples": {"extra-data-sources": {"responses": False}},
                "stateful": {"enabled": False},
            },
        }
    )


INBOUND = "/v1/inbound/events"
_fresh = itertools.count()


@schemathesis.hook("before_call")
def _as_clients_do(_: HookContext, case: Case, __: dict[str, Any]) -> None:
    """Every request has a key of its own: one for all would hide everything behind `IDEMPOTENCY_KEY_REUSED`.

    A position that is yet to come is waited for, then answered 503: test_http_moments.py shows it.
    """
    if re.fullmatch("[ -~]{1,255}", str(case.headers.get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = f"key {next(_fresh)}"
    asked = str(case.headers.get("X-Min-Position", ""))
    if asked.isdecimal() and 1 < int(asked) < 2**63:
        del case.headers["X-Min-Position"]


def _kept(_: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """A batch that holds a malformed event is no refused request: each event stands alone (contract §4)."""
    if not isinstance(failure, AcceptedNegativeData) or case.operation.path != INBOUND:
        return True
    return all(result["outcome"] != "REJECTED" for result in response.json()["results"])


def judge(house: House, garage: Garage, seed: int) -> Judged:
    """Asks and judges; the same seed asks the same, but for the ids that the house gave."""
    seeded = Seeded(garage)
    with house.client() as anybody:
        document = anybody.get("/schema/openapi.json").json()
    token = house.token("SUPER_ADMIN", "SYSTEM")
    schema = schemathesis.openapi.from_dict(
        with_examples(document, seeded.examples()), config=_config(token, seeded, seed)
    )
    schema.config.update(base_url=house.url)
    schema.hooks.hook("filter_failure")(_kept)
    judged = Judged()
    for event in engine.from_schema(schema).execute():
        judged.take(event)
    return judged


@pytest.fixture(scope="module")
def judged(house: House, garage: Garage) -> Judged:
    return judge(house, garage, SEED)


def test_no_answer_is_a_server_error_or_undocumented(judged: Judged) -> None:
    assert not judged.wrong, judged.told()


def test_every_operation_was_asked_and_did_what_it_is_for(house: House, judged: Judged) -> None:
    with house.client() as anybody:
        paths = anybody.get("/schema/openapi.json").json()["paths"]
    described = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    assert set(judged.statuses) == described
    idle = {label for label, counts in judged.statuses.items() if not SUCCESSES & set(counts)}
    notices = {label for label in described if label.endswith("/gateways/{gateway}/notices")}
    assert idle == notices, "answered no request with a success, as only notices may that no gateway signed"
    asked = sum(judged.statuses.values(), Counter())
    assert sum(asked[status] for status in SUCCESSES) > SUCCESS_SHARE * asked.total(), asked


def test_every_check_is_made_or_left_out_for_a_reason() -> None:
    assert {*CHECKS, *LEFT_OUT} == {*schemathesis.checks.CHECKS.get_all_names(), "max_response_time"}
