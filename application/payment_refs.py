"""Which references of payers may stand in log lines: not all, for they are made up outside (contract §8)."""

import re

from domain.kernel.card_numbers import holds_card_number

_PARTS = re.compile(r"[A-Za-z0-9]{1,12}(?:[-_./:#][A-Za-z0-9]{1,12})*")
_LETTER = re.compile(r"[A-Za-z]")
_DIGIT = re.compile(r"[0-9]")


def is_loggable(payment_ref: str) -> bool:
    """Whether a `paymentRef` is formed as references are (`run-7/9`), and not as what no log may hold.

    It has letters and digits, in parts of twelve at most, as a UUID has. So it is no name, e-mail address or
    phone number, no account's or card's number, and no token, which is one long piece.
    """
    return (
        _PARTS.fullmatch(payment_ref) is not None
        and _LETTER.search(payment_ref) is not None
        and _DIGIT.search(payment_ref) is not None
        and not holds_card_number(payment_ref)
    )
