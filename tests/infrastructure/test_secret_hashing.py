"""PINs and passwords are hashed slowly, a few at once, and kept so that only this service compares them."""

import asyncio
import base64
import threading
import time
from uuid import uuid4

import argon2
import pytest
from cryptography.exceptions import InvalidTag

from infrastructure.secret_hashing import AT_ONCE, SealedArgon2
from tests.support.decisions import rule

PERSON = str(uuid4())


@pytest.fixture
def secrets() -> SealedArgon2:
    return SealedArgon2(b"k" * 32)


async def test_a_secret_matches_what_was_kept_of_it_and_no_other_does(secrets: SealedArgon2) -> None:
    kept = await secrets.verifier(PERSON, "pässword 1")
    assert await secrets.matches(PERSON, kept, "pässword 1")
    assert await secrets.matches(PERSON, kept, "pa\u0308ssword 1"), "typed on another keyboard"
    assert not await secrets.matches(PERSON, kept, "pässword 2")
    assert not await secrets.matches(PERSON, None, "pässword 1")


@rule("PII-10")
async def test_what_is_kept_shows_no_hash_and_differs_each_time(secrets: SealedArgon2) -> None:
    kept = [await secrets.verifier(PERSON, "4711") for _ in "12"]
    assert kept[0] != kept[1]
    for each in kept:
        assert b"argon2" not in base64.b64decode(each)


async def test_what_is_kept_serves_neither_another_person_nor_another_key(secrets: SealedArgon2) -> None:
    kept = await secrets.verifier(PERSON, "4711")
    with pytest.raises(InvalidTag):
        await secrets.matches(str(uuid4()), kept, "4711")
    with pytest.raises(InvalidTag):
        await SealedArgon2(b"x" * 32).matches(PERSON, kept, "4711")


async def test_comparing_with_nobodys_secret_costs_as_much(secrets: SealedArgon2) -> None:
    kept = await secrets.verifier(PERSON, "4711")

    async def cpu_seconds(verifier: str | None) -> float:
        taken = []
        for _ in range(4):
            started = time.process_time()
            assert not await secrets.matches(PERSON, verifier, "0000")
            taken.append(time.process_time() - started)
        return min(taken)

    assert 0.5 < await cpu_seconds(None) / await cpu_seconds(kept) < 2


async def test_a_flood_computes_only_a_few_at_once_and_beside_the_event_loop(
    secrets: SealedArgon2, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await secrets.verifier(PERSON, "4711")
    lock, active, most = threading.Lock(), 0, 0
    threads: set[str] = set()
    verify = argon2.PasswordHasher.verify

    def counted(hasher: argon2.PasswordHasher, hashed: str, secret: str) -> bool:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
            threads.add(threading.current_thread().name)
        try:
            return verify(hasher, hashed, secret)
        finally:
            with lock:
                active -= 1

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    results = await asyncio.gather(*(secrets.matches(PERSON, kept, "4711") for _ in range(6)))
    assert all(results)
    assert most <= AT_ONCE
    assert threading.main_thread().name not in threads
