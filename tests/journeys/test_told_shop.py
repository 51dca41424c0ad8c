"""An operator adds a webhook, an order is paid, the shop hears of its receipt; no log tells a secret."""

import json

import httpx
import pytest

from tests.support.house import House, eventually, paid
from tests.support.receivers import a_receiver


def billing(house: House, *arguments: str) -> dict[str, str]:
    """What a command of the house prints with --json."""
    process = house.spawn(["-m", "interfaces.cli.main", *arguments, "--json"], house.port, piped=True)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    answer: dict[str, str] = json.loads(out)
    return answer


@pytest.mark.slow
def test_the_shop_hears_of_a_receipt_the_moment_it_is_issued(house: House) -> None:
    with a_receiver() as receiver:
        address = receiver.url.replace("http://", "http://shop:gentian@")
        added = billing(house, "webhooks", "add", address, "--type", "docs.DocumentIssued")
        try:
            document = house.issued(paid("webhook-1"))
            (post,) = eventually(lambda: receiver.posts[:], seconds=10)
        finally:
            billing(house, "webhooks", "remove", added["webhookId"])
    event = post.verified(added["secret"])
    assert event["source"] == "urn:billing-docs"
    assert event["subject"] == f"document/{document['documentId']}"
    told = event["data"]
    for name in ("documentId", "documentKey", "docType", "status", "number", "totals", "issueDate"):
        assert told[name] == document[name]
    assert told["seal"] == {name: document["seal"][name] for name in ("sha256Pdf", "sha256Json")}
    metrics = httpx.get(f"{house.url}/metrics", trust_env=False).text
    assert f'outbox_delivered_total{{subscriber="{added["webhookId"]}"}} 1.0' in metrics
    assert "\noutbox_pending 0.0" in metrics
    log = house.log_path.read_text()
    for private in ("gentian", added["secret"], f":{receiver.port}"):
        assert private not in log
