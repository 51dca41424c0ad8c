"""The folder of an operator's own policies: what is read of it, and what is said where that cannot be."""

from pathlib import Path

import pytest

from infrastructure.policy_folder import policy_texts


def test_toml_files_are_read_in_alphabetical_order(tmp_path: Path) -> None:
    (tmp_path / "mx.toml").write_text("# México", "utf-8")
    (tmp_path / "de.toml").write_text("# DE", "utf-8")
    (tmp_path / "notes.txt").write_text("not a policy", "utf-8")
    texts = policy_texts(tmp_path)
    assert list(texts.items()) == [(f"{tmp_path}/de.toml", "# DE"), (f"{tmp_path}/mx.toml", "# México")]


def test_an_empty_folder_holds_none(tmp_path: Path) -> None:
    assert policy_texts(tmp_path) == {}


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere is not a folder that can be read"):
        policy_texts(tmp_path / "nowhere")


def test_a_file_that_is_no_text_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mx.toml").write_bytes(b'name = "MX"\ncovers = "M\xe9xico"\n')
    with pytest.raises(ValueError, match=r"mx\.toml:2: is not UTF-8 text"):
        policy_texts(tmp_path)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "mx.toml").symlink_to(tmp_path / "gone.toml")
    with pytest.raises(ValueError, match=r"mx\.toml:1: cannot be read"):
        policy_texts(tmp_path)
