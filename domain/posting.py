"""Posting errors: accounting's words for few, a code and a plain sentence for all (BILL-DEC-014)."""

import re
from typing import Annotated

from pydantic import StringConstraints

from domain.kernel.facts import Value

_PLAIN_CODE = re.compile(r"[A-Z][A-Z_]{2,39}")
_SUMMARY = "Accounting could not post this. It stays as it is; finance has been told."


class PostingError(Value):
    """What accounting said. `detail` may name accounts and systems."""

    code: Annotated[str, StringConstraints(max_length=100)]
    detail: Annotated[str, StringConstraints(max_length=4000)] | None = None


def posting_error_summary(error: PostingError) -> dict[str, str]:
    """What everybody may see: a code of plain words, for digits could be an account's, and one sentence."""
    code = error.code if _PLAIN_CODE.fullmatch(error.code) else "POSTING_FAILED"
    return {"code": code, "message": _SUMMARY}
