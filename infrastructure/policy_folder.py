"""The folder in which an operator keeps document policies of their own (docs/operators.md)."""

from pathlib import Path


def policy_texts(folder: Path) -> dict[str, str]:
    """The texts of the `.toml` files in a folder by path, in alphabetical order; folders in it are not read.

    Raises ValueError, naming the path, for what is no folder or cannot be read as UTF-8 text.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder that can be read.")
    texts = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            texts[str(path)] = path.read_text("utf-8")
        except OSError as error:
            raise ValueError(f"{path}:1: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise ValueError(f"{path}:{line}: is not UTF-8 text") from error
    return texts
