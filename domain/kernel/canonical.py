"""Canonical JSON (RFC 8785), the one byte form in which values are hashed, signed and rendered."""

import hashlib
import math
from typing import Any

import msgspec
import rfc8785

_DEEPEST_NESTING = 32
"""Far below the recursion limit, and deeper than any fact an upstream system has reason to send."""

_LARGEST_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

_encode = msgspec.json.Encoder(order="deterministic").encode

_NEVER_STORED = ("\x00", "\ufffe", "\uffff")
"""PostgreSQL has no NUL in text, and XML has no noncharacters: neither can be kept or printed."""


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 form of a JSON-ready value: UTF-8, keys in UTF-16 order, no white space.

    Raises `rfc8785.CanonicalizationError` for what that form cannot hold: integers beyond ±(2^53 − 1),
    NaN, infinities, lone surrogates and types that JSON does not know.
    """
    try:
        # An encoder written in C gives the same bytes for all but a few values, in a fraction of the time.
        encoded = _encode(value)
        if _is_encoded_canonically(value):
            return encoded
    except (TypeError, ValueError, RecursionError):
        # What JSON cannot hold is named by the library.
        return rfc8785.dumps(value)
    return rfc8785.dumps(value)


def _is_encoded_canonically(value: Any) -> bool:
    """Whether that encoder writes the value as RFC 8785 does. Raises TypeError for keys that are no text.

    The two differ on fractions, on integers out of range, and on the order of keys beyond ASCII.
    """
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is dict:
            if not "".join(item).isascii():
                return False
            waiting.extend(item.values())
        elif kind is list or kind is tuple:
            waiting.extend(item)
        elif kind is int:
            if not -_LARGEST_INTEGER <= item <= _LARGEST_INTEGER:
                return False
        elif not (kind is str or kind is bool or item is None):
            return False
    return True


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of the bytes, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def refuse_unstorable(value: Any, depth: int = 0) -> None:
    """Raises ValueError for JSON that the ledger could not keep; the message never repeats the value.

    It is meant for fields that no model describes (the extra fields of upstream facts): NUL, noncharacters
    and lone surrogates in keys or strings, integers beyond ±(2^53 − 1), NaN, infinities, deep nesting.
    """
    if depth > _DEEPEST_NESTING:
        raise ValueError(f"is nested more than {_DEEPEST_NESTING} levels deep")
    match value:
        case str():
            _refuse_unstorable_text(value)
        case int() if abs(value) > _LARGEST_INTEGER:
            raise ValueError("holds an integer of 2^53 or more")
        case float() if not math.isfinite(value):
            raise ValueError("holds a number that is not finite")
        case list() | tuple():
            for item in value:
                refuse_unstorable(item, depth + 1)
        case dict():
            for key, item in value.items():
                _refuse_unstorable_text(key)
                refuse_unstorable(item, depth + 1)
        case _:
            return


def _refuse_unstorable_text(text: str) -> None:
    if any(character in text for character in _NEVER_STORED):
        raise ValueError("holds a character that cannot be stored")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("holds a lone surrogate") from None
