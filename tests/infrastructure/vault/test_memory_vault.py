"""The vault in memory keeps the same promises as the real ones."""

import pytest

from tests.infrastructure.vault.vault_contract import VaultContract
from tests.support.memory_vault import MemoryVault


class TestMemoryVault(VaultContract):
    @pytest.fixture
    def vault(self) -> MemoryVault:
        return MemoryVault()
