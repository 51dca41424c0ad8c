"""The simulated gateways' notices on their way: signed, sent until they are taken, told by the book alone."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import stripe
from standardwebhooks import Webhook

from infrastructure.gateways.simulated_api import SimulatedApi
from infrastructure.gateways.simulated_book import GatewayBook, KeptNotice
from infrastructure.gateways.simulated_faults import SimulatedGateway

PAUSE_SECONDS = 0.1
ANSWER_SECONDS = 5.0
FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 10.0


@dataclass(frozen=True)
class NoticeTarget:
    """Where a gateway's notices go, and the secret that signs them."""

    url: str
    secret: str = field(repr=False)


class Messenger:
    """Lets time pass at the gateways and sends what they have to tell; `run` until `stop`."""

    def __init__(
        self,
        book: GatewayBook,
        apis: Sequence[SimulatedApi],
        targets: Mapping[SimulatedGateway, NoticeTarget],
    ) -> None:
        """Notices of a gateway without a target are kept until it has one."""
        self._book = book
        self._apis = apis
        self._targets = targets
        self._stopping = threading.Event()
        # Only this machine is told, by plain HTTP: authorities would take long to read, and for nothing.
        self._client = httpx.Client(
            verify=False,  # noqa: S501 - see above.
            trust_env=False,
            follow_redirects=False,
            timeout=ANSWER_SECONDS,
        )

    def run(self) -> None:
        """Goes on until it is stopped."""
        while not self._stopping.is_set():
            with self._book.changing():
                for api in self._apis:
                    api.advance()
            notice = self._book.next_notice(list(self._targets))
            if notice is None:
                self._stopping.wait(PAUSE_SECONDS)
            else:
                self._send(notice)
        self._client.close()

    def stop(self) -> None:
        """Ends `run` after the notice that it is at."""
        self._stopping.set()

    def _send(self, notice: KeptNotice) -> None:
        target = self._targets[notice.gateway]
        headers = {"Content-Type": "application/json", **_signed(notice, target.secret)}
        try:
            taken = self._client.post(target.url, content=notice.body, headers=headers).is_success
        except httpx.HTTPError:
            taken = False
        later = min(FIRST_RETRY_SECONDS * 2 ** min(notice.attempts, 10), LONGEST_RETRY_SECONDS)
        self._book.note_attempt(notice, taken=taken, again_seconds=0 if taken else later)


def _signed(notice: KeptNotice, secret: str) -> dict[str, str]:
    """The headers that sign a notice, with the time of its sending."""
    text = notice.body.decode()
    if notice.gateway == "stripe":
        signature = stripe.WebhookSignature.generate_signature_header(text, secret, int(time.time()))
        return {"Stripe-Signature": signature}
    now = datetime.now(UTC)
    return {
        "webhook-id": notice.notice_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(notice.notice_id, now, text),
    }
