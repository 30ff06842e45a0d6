"""Keys of segments are wrapped by others; rotating these touches no media and can end anywhere."""

import base64
import itertools
import os
import signal
from pathlib import Path

import pytest

from recorder import keyring
from recorder.keyring import (
    KEY_BYTES,
    Keyring,
    KeyringError,
    drop_unused,
    has_key,
    parse,
    read_key,
    rewrap,
    shred_key,
    store_key,
    usage,
)

SEGMENTS = {name: bytes((number,)) * KEY_BYTES for number, name in enumerate(("a", "b-b", "_c"), 1)}


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    """A keyring in a file, that wraps the keys of three segments."""
    made = Keyring(tmp_path / "data" / "recording.keys")
    made.prepare()
    (tmp_path / "segments").mkdir()
    for name, key in SEGMENTS.items():
        store_key(tmp_path / "segments", name, key, made)
    return made


def all_readable(folder: Path, ring: Keyring) -> bool:
    return all(read_key(folder, name, ring) == key for name, key in SEGMENTS.items())


def test_keys_are_read_from_items_in_order_and_the_first_wraps() -> None:
    one, two = (base64.b64encode(bytes((n,)) * KEY_BYTES).decode() for n in (1, 2))
    for text in (f"new:{one},old:{two}", f"  new:{one}\n\nold:{two}\n", f"new:{one}, old:{two}"):
        assert list(parse(text).items()) == [("new", b"\1" * KEY_BYTES), ("old", b"\2" * KEY_BYTES)]
    ring = Keyring(parse(f"new:{one},old:{two}"))
    assert ring.wrap(bytes(KEY_BYTES)).kek == "new"
    assert not ring.changeable
    for text in ("", "x", ":", f"a b:{one}", f"a/b:{one}", f"x:{one[:-8]}", f"x:{one},x:{two}", f"x:{one},y:§"):
        with pytest.raises(ValueError, match=r"^key "):
            parse(text)


def test_an_error_about_keys_never_shows_them() -> None:
    secret = base64.b64encode(b"not long enough").decode()
    with pytest.raises(ValueError, match="must be id:base64") as error:
        parse(f"x:{secret}")
    assert secret not in str(error.value)


def test_the_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "recording.keys"
    Keyring(path).prepare()
    before = path.read_bytes()
    Keyring(path).prepare()
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("nonsense")
    with pytest.raises(KeyringError, match="must be id:base64"):
        Keyring(path).prepare()


def test_a_wrapped_key_lies_nowhere_as_it_is(tmp_path: Path, ring: Keyring) -> None:
    data = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for key in SEGMENTS.values():
        assert key not in data
        assert base64.b64encode(key) not in data
    assert all_readable(tmp_path / "segments", ring)


def test_a_rotation_rewraps_all_and_the_old_key_is_needed_no_more(tmp_path: Path, ring: Keyring) -> None:
    folder = tmp_path / "segments"
    (old,) = ring.keys()
    new = ring.add()
    assert list(ring.keys()) == [new, old]
    assert drop_unused(folder, ring) == []  # what still wraps something is kept
    assert rewrap(folder, ring) == []
    assert usage(folder) == {new: 3}
    assert drop_unused(folder, ring) == [old]
    assert all_readable(folder, Keyring(ring.keys()))
    assert rewrap(folder, ring) == []


class Interrupted(BaseException):
    """What ends a command from outside."""


@pytest.mark.parametrize("killed", [False, True])
def test_a_rotation_may_end_at_every_step(tmp_path: Path, ring: Keyring, killed: bool) -> None:
    folder = tmp_path / "segments"

    def rotate(last: int) -> None:
        steps = itertools.count(1)

        def reached(_: str) -> None:
            if next(steps) == last:
                if killed:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise Interrupted

        ring.add()
        reached("key added")
        rewrap(folder, ring, reached)
        reached("rewrapped")
        drop_unused(folder, ring)

    for last in itertools.count(1):
        if killed:
            child = os.fork()
            if child == 0:
                try:
                    rotate(last)
                finally:
                    os._exit(0)
            ended = os.waitpid(child, 0)[1] == 0
        else:
            try:
                rotate(last)
                ended = True
            except Interrupted:
                ended = False
        assert all_readable(folder, ring)
        if ended:
            break
    assert last == 9
    assert len(ring.keys()) == 1
    assert usage(folder) == dict.fromkeys(ring.keys(), 3)


def test_a_rotation_cut_off_in_the_middle_of_a_file_is_repeated(tmp_path: Path, ring: Keyring) -> None:
    folder = tmp_path / "segments"
    (folder / "a.key.new").write_bytes(b'{"kek":"x","wrap')
    (tmp_path / "data" / "recording.keys.new").write_bytes(b"x:")
    ring.add()
    assert rewrap(folder, ring) == []
    assert all_readable(folder, ring)
    assert not list(tmp_path.rglob("*.new"))


def test_one_key_that_cannot_be_unwrapped_holds_up_no_other(tmp_path: Path, ring: Keyring) -> None:
    folder = tmp_path / "segments"
    store_key(folder, "foreign", bytes(KEY_BYTES), Keyring({"elsewhere": b"\7" * KEY_BYTES}))
    (folder / "broken.key").write_bytes(b"{}")
    new = ring.add()
    assert rewrap(folder, ring) == ["broken", "foreign"]
    (folder / "broken.key").unlink()
    assert usage(folder) == {new: 3, "elsewhere": 1}
    with pytest.raises(KeyringError, match="elsewhere is not in the keyring"):
        read_key(folder, "foreign", ring)
    wrong = Keyring({new: b"\7" * KEY_BYTES})
    with pytest.raises(KeyringError, match="can't be unwrapped"):
        read_key(folder, "a", wrong)


def test_a_shredded_key_is_gone_with_all_that_a_rotation_left_of_it(tmp_path: Path, ring: Keyring) -> None:
    folder = tmp_path / "segments"
    wrapped = (folder / "a.key").read_bytes()
    (folder / "a.key.new").write_bytes(wrapped)
    os.link(folder / "a.key", tmp_path / "witness")  # the same blocks of the disk under another name
    shred_key(folder, "a")
    shred_key(folder, "a")
    assert not has_key(folder, "a")
    assert wrapped not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    with pytest.raises(FileNotFoundError):
        read_key(folder, "a", ring)
    assert has_key(folder, "b-b")


def test_a_key_deleted_during_a_rotation_does_not_come_back(tmp_path: Path, ring: Keyring) -> None:
    folder = tmp_path / "segments"
    ring.add()

    def reached(step: str) -> None:
        if step == "rewrapped _c":
            shred_key(folder, "a")
            shred_key(folder, "_c")

    assert rewrap(folder, ring, reached) == []
    assert sorted(path.name for path in folder.glob("*.key*")) == ["b-b.key"]
    assert keyring.LOCK in {path.name for path in folder.iterdir()}
