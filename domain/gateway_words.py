"""What gateways say of payments, as facts of customers' and vendors' payments keep it."""

from typing import Annotated

from pydantic import StringConstraints

from domain.kernel.facts import NO_CONTROLS

GatewayReference = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROLS)]
"""What a gateway calls a payment or a refund."""

GatewayCode = Annotated[str, StringConstraints(max_length=100, pattern=NO_CONTROLS)]
"""A gateway's word for why it declines or refuses."""
