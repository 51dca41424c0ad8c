"""One download token, one signed URL, used many times at once through two APIs: the bytes are given once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.support.artifact_facts import SIGNATURE, by_value
from tests.support.decisions import decision
from tests.support.garage import ADVISOR, AUDITOR, Garage
from tests.support.house import House, all_items
from tests.support.problems import problem

USES = 50
AT_ONCE = 10
DOWNLOADED = "document-access.artifact-downloaded"


@pytest.fixture(scope="module")
def urls(house: House) -> tuple[str, str]:
    """Two APIs of one ledger."""
    return house.url, house.second_url()


def _at_once(house: House, urls: tuple[str, str], path: str) -> list[httpx.Response]:
    """The answers to one link that is followed so often, at either API in turn, as browsers do."""

    def follow(number: int) -> httpx.Response:
        with house.client(url=urls[number % 2]) as anybody:
            return anybody.get(path)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(follow, range(USES)))


@pytest.mark.slow
@decision("BILL-DEC-005", "Of many uses of a token at once, through any process, one gets the bytes")
def test_of_fifty_uses_through_two_apis_one_gets_the_bytes(house: House, urls: tuple[str, str]) -> None:
    with Garage(house) as garage:
        draft = garage.drafted(artifactRefs=[by_value(ref := f"signature-{uuid4()}")])
        token = garage.post(f"/artifacts/{ref}/download-token", {}).json()
        signed = garage.get(f"/invoices/{draft['invoiceId']}/artifacts", ADVISOR, includeSignedUrls="true")
        for link in (token["url"], signed.json()["artifacts"][0]["signedUrl"]):
            answers = _at_once(house, urls, link)
            assert Counter(answer.status_code for answer in answers) == {200: 1, 403: USES - 1}
            for answer in answers:
                if answer.status_code == 200:
                    assert answer.content == SIGNATURE
                else:
                    refused = problem(answer, 403, "DOWNLOAD_TOKEN_INVALID")
                    assert refused["reasonCode"] == "USED" and SIGNATURE not in answer.content
        garage.head()
        told = all_items(garage.client(AUDITOR), "/v1/audit/events", type=DOWNLOADED)
        assert sum(event["data"]["artifactRefId"] == ref for event in told) == 2, "one for each link"
