"""Files in a folder for each subject, so that whoever is erased takes theirs along.

A folder's name is a keyed hash: a look at the disk tells nobody's id. Files are written once, whole, forced
to disk, for the service's user alone.
"""

import hashlib
import hmac
import os
import shutil
from pathlib import Path

from infrastructure.durable import sync_folder, temporary_name, write_synced

_MODE = 0o600
_FOLDER_MODE = 0o700


class SubjectFolders:
    """One root with a folder for each subject."""

    def __init__(self, root: Path, key: bytes) -> None:
        self._root = root
        self._key = key

    def put(self, subject_id: str, name: str, content: bytes) -> None:
        """Writes the subject's file of that name; one that is there stays as it is. Raises `OSError`."""
        folder = self._folder(subject_id)
        self._root.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=_FOLDER_MODE)
            sync_folder(self._root)
        except FileExistsError:
            if (folder / name).exists():
                return
        temporary = folder / temporary_name()
        write_synced(temporary, content, mode=_MODE)
        try:
            os.link(temporary, folder / name)
        except FileExistsError:
            # Another writer was faster; its file is as good.
            return
        finally:
            temporary.unlink(missing_ok=True)
            sync_folder(folder)

    def forget(self, subject_id: str) -> None:
        """Removes the subject's folder with all that is in it. Raises `OSError`."""
        try:
            shutil.rmtree(self._folder(subject_id))
        except FileNotFoundError:
            return
        sync_folder(self._root)

    def _folder(self, subject_id: str) -> Path:
        return self._root / hmac.digest(self._key, subject_id.encode(), hashlib.sha256).hex()
