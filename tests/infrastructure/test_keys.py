"""Keys on a real disk: made once and whole, found out when damaged, never told."""

import base64
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from application.signing import KeyUnusable, SignatureInvalid
from infrastructure.keys.rings import SecretRing, SigningRing
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys"


@pytest.fixture
def keys(folder: Path) -> KeyStore:
    return KeyStore.create(folder)


@pytest.fixture
def signer(keys: KeyStore) -> Ed25519Signer:
    return Ed25519Signer(keys.seal)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_keys_are_made_once_and_found_again(keys: KeyStore, folder: Path) -> None:
    made = content(folder)
    again = KeyStore.create(folder)
    assert content(folder) == made
    assert again.derive(b"cursor") == keys.derive(b"cursor")
    assert sorted({name.split("/")[0] for name in made}) == ["jwt", "ledger", "seal", "subjects", "vault"]


def test_only_the_owner_may_read_keys(keys: KeyStore, folder: Path) -> None:
    keys.rotate("seal")
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path.name


def test_a_key_id_is_the_start_of_the_hash_of_the_raw_public_key(keys: KeyStore, folder: Path) -> None:
    key_id = keys.seal.current_id()
    public = load_pem_public_key((folder / "seal" / f"{key_id}.pub.pem").read_bytes())
    assert sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16] == key_id


@pytest.mark.slow
def test_a_flipped_bit_in_any_byte_of_any_key_file_is_found_and_no_new_key_is_made(
    keys: KeyStore, folder: Path
) -> None:
    keys.rotate("seal")
    keys.rotate("vault")
    intact = content(folder)
    for name, original in intact.items():
        for offset, bit in itertools.product(range(len(original)), range(8)):
            flipped = bytearray(original)
            flipped[offset] ^= 1 << bit
            (folder / name).write_bytes(flipped)
            with pytest.raises(KeyUnusable) as found:
                keys.check()
            assert found.value.key_name == name.split("/")[0]
        with pytest.raises(KeyUnusable):
            KeyStore.create(folder)
        (folder / name).write_bytes(original)
    assert content(folder) == intact
    keys.check()


def test_a_key_file_cut_short_prolonged_or_lost_is_found(keys: KeyStore, folder: Path) -> None:
    for name, original in content(folder).items():
        for damaged in (original[:-1], original[: len(original) // 2], b"", original + b"\n", None):
            if damaged is None:
                (folder / name).unlink()
            else:
                (folder / name).write_bytes(damaged)
            with pytest.raises(KeyUnusable) as found:
                KeyStore.create(folder)
            assert found.value.problem == ("missing" if damaged is None else "corrupt")
        (folder / name).write_bytes(original)
    keys.check()


@pytest.mark.parametrize("ring", ["seal", "jwt", "vault", "ledger"])
def test_a_lost_ring_is_missed_and_not_made_anew(keys: KeyStore, folder: Path, ring: str) -> None:
    shutil.rmtree(folder / ring)
    with pytest.raises(KeyUnusable) as found:
        KeyStore.create(folder)
    assert (found.value.key_name, found.value.problem) == (ring, "missing")


def test_an_error_tells_neither_path_nor_content(keys: KeyStore, folder: Path, tmp_path: Path) -> None:
    (folder / "seal" / "current").unlink()
    with pytest.raises(KeyUnusable) as found:
        keys.check()
    assert str(found.value) == "The seal key is missing."
    assert found.value.__cause__ is None


def test_a_folder_that_cannot_be_written_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyUnusable, match="unwritable"):
        KeyStore.create(tmp_path / "file" / "keys")


def test_secrets_stay_out_of_representations(keys: KeyStore) -> None:
    secret = keys.vault.current()
    _, private = keys.seal.current()
    for shown in (repr(secret), str(secret), repr(keys), repr(keys.seal), repr(private)):
        assert secret.secret.hex() not in shown
        assert repr(secret.secret) not in shown
        assert "PRIVATE" not in shown
    assert secret.key_id in repr(secret)


def test_derived_keys_differ_by_purpose_and_by_installation(keys: KeyStore, tmp_path: Path) -> None:
    other = KeyStore.create(tmp_path / "other" / "keys")
    derived = {
        store.derive(purpose)
        for store, purpose in itertools.product((keys, other), (b"request-hash", b"stored-answer", b"cursor"))
    }
    assert len(derived) == 6
    assert all(len(key) == 32 for key in derived)
    assert keys.derive(b"cursor") == keys.derive(b"cursor")


@pytest.mark.parametrize(
    "key_id", ["", ".", "../jwt/current", "0" * 16, "0" * 15 + "\n", "A" * 16, "/etc/passwd"]
)
def test_a_hostile_key_id_is_a_missing_key(folder: Path, keys: KeyStore, key_id: str) -> None:
    for lookup in (SigningRing(folder / "seal").public, SecretRing(folder / "vault").by_id):
        with pytest.raises(KeyUnusable) as found:
            lookup(key_id)
        assert found.value.problem == "missing"


def test_a_key_id_cannot_lead_into_another_ring(keys: KeyStore) -> None:
    with pytest.raises(KeyUnusable, match="missing"):
        keys.seal.public(f"../jwt/{keys.jwt.current_id()}")


def test_many_processes_starting_at_once_agree_on_one_set_of_keys(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from infrastructure.keys.store import KeyStore\n"
        "sys.stdin.readline(); keys = KeyStore.create(Path(sys.argv[1]))\n"
        "rings = (keys.seal, keys.jwt, keys.vault)\n"
        "print(*(ring.current_id() for ring in rings), keys.derive(b'x').hex())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "data" / "keys")],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert len(answers) == 1
    assert len(answers.pop().split()) == 4
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["keys"]


def killed_at_step(step: int, folder: Path) -> bool:
    """Create keys in a child that kills itself before its `step`th file operation; False if it lived."""
    child = os.fork()
    if child == 0:
        steps = itertools.count(1)

        def hook(event: str, _arguments: object) -> None:
            if event.startswith(("open", "os.")) and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            KeyStore.create(folder)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.slow
def test_a_start_killed_before_any_of_its_steps_leaves_all_keys_or_none(tmp_path: Path) -> None:
    for step in itertools.count(1):
        folder = tmp_path / str(step) / "keys"
        killed = killed_at_step(step, folder)
        before = content(folder) if folder.exists() else None
        KeyStore.create(folder).check()
        assert before is None or content(folder) == before
        if not killed:
            break
    assert step > 20


def test_left_overs_of_killed_starts_are_swept_after_an_hour(folder: Path, keys: KeyStore) -> None:
    old, young = folder.parent / ".tmp-old-keys", folder.parent / ".tmp-young-keys"
    old.mkdir()
    young.mkdir()
    os.utime(old, (time.time() - 3700, time.time() - 3700))
    KeyStore.create(folder)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_signature_verifies_and_names_its_key(signer: Ed25519Signer, keys: KeyStore) -> None:
    signature = signer.sign(b"payload")
    signer.verify(b"payload", signature)
    assert (signature.algorithm, signature.key_id) == ("Ed25519", keys.seal.current_id())
    assert len(base64.b64decode(signature.signature_base64)) == 64


def test_a_signature_over_other_bytes_is_invalid(signer: Ed25519Signer) -> None:
    signature = signer.sign(b"payload")
    with pytest.raises(SignatureInvalid):
        signer.verify(b"payloae", signature)


@pytest.mark.parametrize("part", ["key_id", "algorithm", "signature_base64"])
def test_a_flipped_bit_in_any_character_of_a_signature_is_found(signer: Ed25519Signer, part: str) -> None:
    signature = signer.sign(b"payload")
    text = getattr(signature, part)
    for offset, bit in itertools.product(range(len(text)), range(8)):
        flipped = text[:offset] + chr(ord(text[offset]) ^ 1 << bit) + text[offset + 1 :]
        with pytest.raises(SignatureInvalid):
            signer.verify(b"payload", signature.model_copy(update={part: flipped}))


def test_a_running_signer_finds_a_damaged_public_key(signer: Ed25519Signer, folder: Path) -> None:
    signature = signer.sign(b"payload")
    (public,) = (folder / "seal").glob("*.pub.pem")
    intact = public.read_bytes()
    for offset in range(len(intact)):
        flipped = bytearray(intact)
        flipped[offset] ^= 1
        public.write_bytes(flipped)
        with pytest.raises(SignatureInvalid):
            signer.verify(b"payload", signature)
    public.write_bytes(intact)
    signer.verify(b"payload", signature)


def test_a_running_signer_finds_a_damaged_private_key_though_it_signed_with_it_before(
    signer: Ed25519Signer, keys: KeyStore, folder: Path
) -> None:
    before = signer.sign(b"payload")
    private = folder / "seal" / f"{keys.seal.current_id()}.pem"
    intact = private.read_bytes()
    for offset in range(len(intact)):
        flipped = bytearray(intact)
        flipped[offset] ^= 1
        private.write_bytes(flipped)
        with pytest.raises(KeyUnusable, match="corrupt"):
            signer.sign(b"payload")
    private.unlink()
    with pytest.raises(KeyUnusable, match="missing"):
        signer.sign(b"payload")
    private.write_bytes(intact)
    assert signer.sign(b"payload") == before


def test_a_public_key_exchanged_for_another_is_found(
    signer: Ed25519Signer, folder: Path, tmp_path: Path
) -> None:
    signature = signer.sign(b"payload")
    other = KeyStore.create(tmp_path / "other" / "keys")
    (public,) = (folder / "seal").glob("*.pub.pem")
    (stranger,) = (tmp_path / "other" / "keys" / "seal").glob("*.pub.pem")
    public.write_bytes(stranger.read_bytes())
    with pytest.raises(SignatureInvalid):
        signer.verify(b"payload", signature)
    other.check()


def test_after_rotation_new_signatures_use_the_new_key_and_old_ones_still_verify(
    signer: Ed25519Signer, keys: KeyStore
) -> None:
    old = signer.sign(b"payload")
    new_id = keys.rotate("seal")
    new = signer.sign(b"payload")
    assert new.key_id == new_id != old.key_id
    signer.verify(b"payload", old)
    signer.verify(b"payload", new)
    assert keys.seal.key_ids() == tuple(sorted({old.key_id, new_id}))


def test_a_key_that_the_disk_refuses_now_is_not_called_damaged(signer: Ed25519Signer, folder: Path) -> None:
    signature = signer.sign(b"payload")
    (public,) = (folder / "seal").glob("*.pub.pem")
    public.unlink()
    public.mkdir()
    with pytest.raises(KeyUnusable, match="unreadable"):
        signer.verify(b"payload", signature)
