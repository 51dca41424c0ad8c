"""A document's files out of the vault, opened with its reader's key where they were sealed under one."""

import asyncio
from uuid import UUID

from application.ports import SubjectSecrets
from application.vault import Vault
from domain.documents.document_facts import DocumentIssued


class FileErased(Exception):
    """The file is kept, but the key of the person whose it was is destroyed: nobody can read it again.

    Nothing is wrong with the vault, which knows no persons: this is not one of its errors.
    """


class DocumentFiles:
    """Reads the files of issued documents."""

    def __init__(self, vault: Vault, secrets: SubjectSecrets) -> None:
        self._vault = vault
        self._secrets = secrets

    async def read(self, issued: DocumentIssued, name: str) -> bytes:
        """The plain bytes of one of the document's files. Raises `VaultError`, `FileErased`."""
        secret = None
        if issued.sealed_under is not None:
            key_id = UUID(issued.sealed_under)
            secret = (await self._secrets.by_id([key_id])).get(key_id)
            if secret is None:
                raise FileErased("The key of the person whose document it was is destroyed.")
        return await asyncio.to_thread(self._vault.get, name, secret)
