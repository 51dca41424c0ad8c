"""What the notification service says of e-mails: that one came back (BILL-DEC-011)."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import StringConstraints

from application.handlers.deliveries import bounce_delivery
from application.intake.intake import Reading, WithoutDocuments, WithoutFiles
from application.ledger import Transaction
from application.validation import parse
from domain.inbound.inbound import Effect
from domain.kernel.claim import claim_stream
from domain.kernel.facts import NO_CONTROLS, Uuid
from domain.kernel.streams import StreamId
from domain.upstream import SnapshotValue


class BouncedData(SnapshotValue):
    """What `notifications.EMAIL_BOUNCED` brings; no address of its reason is kept."""

    delivery_id: Uuid
    reason: Annotated[str, StringConstraints(max_length=1000, pattern=NO_CONTROLS)]


@dataclass(frozen=True)
class BouncedEmail(WithoutFiles, WithoutDocuments):
    """`notifications.EMAIL_BOUNCED`: of a receipt, or of any document that was sent by e-mail."""

    data: BouncedData
    subjects: frozenset[str] = frozenset()

    @property
    def about(self) -> StreamId:
        """The claim by which the delivery is found, for its id alone tells nobody whose it is."""
        return claim_stream("DELIVERY", self.data.delivery_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """That claim."""
        return frozenset((self.about,))

    def take(self, transaction: Transaction) -> Effect:
        """Records it with the delivery. Raises `NOT_FOUND` for one that never left this house."""
        return bounce_delivery(transaction, self.data.delivery_id, self.data.reason)


def read_bounced_email(data: dict[str, Any], _: Reading) -> BouncedEmail:
    """Reads `notifications.EMAIL_BOUNCED`."""
    return BouncedEmail(parse(BouncedData, data, "data"))
