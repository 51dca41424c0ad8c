"""The document policies of a process: those packaged with the project, and the operator's own (ADR 0022).

The packaged ones are data files beside `domain/documents`, whose code may not read them itself. A file that
is wrong keeps every process from starting, and says where.
"""

from collections.abc import Mapping
from importlib import resources

from domain.documents.policy import DocumentPolicies
from domain.documents.policy_files import read_policies


def document_policies(own: Mapping[str, str] | None = None) -> DocumentPolicies:
    """The packaged policies and the operator's `own`, texts by file name.

    Raises ValueError that names file and line of each fault.
    """
    return read_policies({**_packaged_texts(), **(own or {})})


def _packaged_texts() -> dict[str, str]:
    folder = resources.files("domain.documents").joinpath("policies")
    files = (file for file in folder.iterdir() if file.name.endswith(".toml"))
    return {file.name: file.read_text("utf-8") for file in sorted(files, key=lambda file: file.name)}
