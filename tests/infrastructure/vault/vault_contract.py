"""What every vault promises; each adapter's test module runs this suite with its own `vault` fixture."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import sha256

import pytest

from application.vault import Deposit, StoredObject, Vault, VaultConflict, VaultMissing

UNTIL = date(2036, 12, 31)
NAME = "documents/0190f5fe-7c00-7a00-8000-000000000001/document.pdf"


class VaultContract:
    """Subclasses give a fixture `vault`: an empty, writable vault."""

    def test_what_was_put_is_got_back_with_its_description(self, vault: Vault) -> None:
        content = bytes(range(256)) * 80
        stored = vault.put(Deposit(NAME, content, "fiscal", UNTIL))
        assert vault.get(NAME) == content
        assert stored.model_dump() == {
            "name": NAME,
            "sha256": sha256(content).hexdigest(),
            "size_bytes": 20480,
            "retention_class": "fiscal",
            "retain_until": UNTIL,
        }

    def test_an_empty_object_is_an_object(self, vault: Vault) -> None:
        vault.put(Deposit(NAME, b"", "fiscal", UNTIL))
        assert vault.exists(NAME)
        assert vault.get(NAME) == b""

    def test_the_same_content_again_answers_what_exists(self, vault: Vault) -> None:
        first = vault.put(Deposit(NAME, b"sealed", "fiscal", UNTIL))
        again = vault.put(Deposit(NAME, b"sealed", "other", date(2027, 1, 1)))
        assert again == first

    def test_other_content_under_a_taken_name_conflicts_and_changes_nothing(self, vault: Vault) -> None:
        vault.put(Deposit(NAME, b"sealed", "fiscal", UNTIL))
        with pytest.raises(VaultConflict):
            vault.put(Deposit(NAME, b"forged", "fiscal", UNTIL))
        assert vault.get(NAME) == b"sealed"

    def test_an_absent_object_is_missing(self, vault: Vault) -> None:
        assert not vault.exists(NAME)
        with pytest.raises(VaultMissing):
            vault.get(NAME)

    def test_names_that_look_alike_are_different_objects(self, vault: Vault) -> None:
        names = ["a/b", "a", "a/b/c", "a_b", "a.b", "A/b"]
        for name in names:
            vault.put(Deposit(name, name.encode(), "fiscal", UNTIL))
        assert [vault.get(name) for name in names] == [name.encode() for name in names]

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            "a/..",
            ".hidden",
            "a\0b",
            "a\n",
            "a b",
            "a~b",
            "ä",
            "x" * 201,
        ],
    )
    def test_what_is_not_an_object_name_is_refused_everywhere(self, vault: Vault, name: str) -> None:
        with pytest.raises(ValueError, match="object name"):
            vault.put(Deposit(name, b"", "fiscal", UNTIL))
        with pytest.raises(ValueError, match="object name"):
            vault.get(name)
        with pytest.raises(ValueError, match="object name"):
            vault.exists(name)

    def test_objects_put_together_are_stored_as_if_put_alone(self, vault: Vault) -> None:
        deposits = [Deposit(f"documents/{n}/document.pdf", b"%d" % n, "fiscal", UNTIL) for n in range(20)]
        outcomes = vault.put_all(deposits)
        assert [vault.get(deposit.name) for deposit in deposits] == [b"%d" % n for n in range(20)]
        assert outcomes == [vault.put(deposit) for deposit in deposits]
        assert vault.put_all([]) == []

    def test_a_conflict_among_objects_put_together_concerns_that_object_alone(self, vault: Vault) -> None:
        vault.put(Deposit("b", b"sealed", "fiscal", UNTIL))
        first, conflict, last = vault.put_all(
            [Deposit(name, b"new", "fiscal", UNTIL) for name in ("a", "b", "c")]
        )
        assert isinstance(first, StoredObject)
        assert isinstance(conflict, VaultConflict)
        assert isinstance(last, StoredObject)
        assert [vault.get(name) for name in ("a", "b", "c")] == [b"new", b"sealed", b"new"]

    def test_of_two_contents_put_together_under_one_name_the_first_is_kept(self, vault: Vault) -> None:
        kept, same, conflict = vault.put_all(
            [Deposit(NAME, content, "fiscal", UNTIL) for content in (b"one", b"one", b"two")]
        )
        assert isinstance(kept, StoredObject)
        assert same == kept
        assert isinstance(conflict, VaultConflict)
        assert vault.get(NAME) == b"one"

    def test_nothing_is_stored_where_one_of_the_names_is_none(self, vault: Vault) -> None:
        with pytest.raises(ValueError, match="object name"):
            vault.put_all([Deposit(name, b"", "fiscal", UNTIL) for name in ("a", "..")])
        assert not vault.exists("a")

    def test_equal_content_put_by_many_threads_succeeds_for_all(self, vault: Vault) -> None:
        with ThreadPoolExecutor(8) as pool:
            results = pool.map(lambda _: vault.put(Deposit(NAME, b"sealed", "fiscal", UNTIL)), range(16))
            assert len(set(results)) == 1

    def test_of_different_contents_put_by_many_threads_exactly_one_wins(self, vault: Vault) -> None:
        def attempt(number: int) -> int | None:
            try:
                vault.put(Deposit(NAME, b"%d" % number, "fiscal", UNTIL))
            except VaultConflict:
                return None
            return number

        with ThreadPoolExecutor(8) as pool:
            winners = [number for number in pool.map(attempt, range(16)) if number is not None]
        assert vault.get(NAME) == b"%d" % winners[0]
        assert len(winners) == 1

    def test_a_working_vault_passes_its_probe(self, vault: Vault) -> None:
        vault.probe()

    def test_nothing_can_be_deleted(self, vault: Vault) -> None:
        assert not [method for method in dir(vault) if "delete" in method or "remove" in method]
