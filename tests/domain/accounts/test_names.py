"""The names of accounts: a UUID can be an account's own id, any other text only its party's."""

import pytest
from pydantic import ValidationError

from domain.accounts.names import NamedAccount, account_name, is_account_id
from tests.support.account_facts import ACCOUNT_ID


def test_uuids_are_one_name_in_any_case() -> None:
    assert account_name(ACCOUNT_ID.upper()) == ACCOUNT_ID
    assert NamedAccount(account_id=ACCOUNT_ID.upper()).account_id == ACCOUNT_ID


@pytest.mark.parametrize("name", ["12345", "Acme", ACCOUNT_ID[:-1], ACCOUNT_ID + "0", f"{{{ACCOUNT_ID}}}"])
def test_other_names_are_kept_as_they_are(name: str) -> None:
    assert not is_account_id(name)
    assert account_name(name) == name


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb", 5, None])
def test_what_is_no_name_is_refused(name: object) -> None:
    with pytest.raises(ValidationError):
        NamedAccount.model_validate({"accountId": name})
