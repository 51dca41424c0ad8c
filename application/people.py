"""How one person is known by one id, whether by username or by the `sub` of a token."""

import unicodedata
from uuid import UUID, uuid5

from application.ports import Fingerprint

_NAMESPACE = UUID("5b0f6c1e-3d0e-5a53-8f6b-6a1d6f0f7c42")


class People:
    """Ids of persons who approve and ask; the key keeps anybody from telling whether a name has one."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        self._fingerprint = fingerprint

    def id_of(self, tenant: str, name: str) -> str:
        """The person's id within the tenant, whatever the case of the name; a username is its owner's `sub`.

        One person must not pass for two, so names that differ only in how they are written are one.
        """
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).strip().casefold())
        return str(uuid5(_NAMESPACE, self._fingerprint(["person", tenant, plain])))
