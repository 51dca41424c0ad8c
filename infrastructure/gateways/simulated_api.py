"""What the simulated gateways have in common: requests, what is to be done of them, and notices."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from infrastructure.gateways.simulated_book import GatewayBook, Reply
from infrastructure.gateways.simulated_faults import Behaviour, SimulatedGateway, Step


@dataclass(frozen=True)
class Asked:
    """A request: `path` without its query, `params` of its form, query or JSON body; `key` idempotency's."""

    method: str
    path: str
    params: Mapping[str, Any]
    key: str | None


@dataclass(frozen=True)
class Operation:
    """Something that is to be done, and takes effect as a whole: `perform` writes into the book.

    `subject` is what faults are counted by. With `once_by_key` the first answer is kept and repeated.
    """

    step: Step
    subject: str
    behaviour: Behaviour
    perform: Callable[[], Reply]
    once_by_key: bool


class SimulatedApi(Protocol):
    """One gateway's protocol over the book."""

    @property
    def gateway(self) -> SimulatedGateway:
        """Whose it is."""
        ...

    @property
    def bearer(self) -> str:
        """What requests are authorised by."""
        ...

    def operation(self, asked: Asked) -> Operation | Reply:
        """What a POST asks for; a refusal of one that is not of its form."""
        ...

    def read(self, asked: Asked) -> Reply:
        """What a GET asks for."""
        ...

    def advance(self) -> None:
        """Lets pending payments and refunds whose time has come be decided. Within `changing`."""
        ...

    def error(self, status: int, code: str) -> Reply:
        """An error as this gateway words it."""
        ...


def json_reply(status: int, body: Any) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(body, ensure_ascii=False).encode())


def new_id(prefix: str) -> str:
    """A fresh id that shows that it is a simulation's."""
    return f"{prefix}_sim_{uuid4().hex}"


def tell(book: GatewayBook, gateway: SimulatedGateway, notice_id: str, body: Any) -> None:
    """Has a notice sent, at once and once, or as today's faults have it."""
    wait_seconds, times = 0.0, 1
    for fault in book.conditions().faults:
        if not fault.hits(gateway, "notice", notice_id, 1):
            continue
        if fault.kind == "REPEATED":
            times += 1
        else:
            wait_seconds = fault.seconds * (fault.drawn(notice_id) % 1000) / 1000
    book.keep_notice(gateway, notice_id, json.dumps(body).encode(), wait_seconds=wait_seconds, times=times)
