"""What is appended to a vault is on disk, encrypted, and read again whatever was cut off."""

import itertools
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings, strategies as st

from recorder import vault
from recorder.vault import CHUNK, Survey, VaultDamaged, VaultReader, VaultWriter, abandoned, survey

KEY = bytes(range(32))
HEADER = 44
STORED = CHUNK + 16


def noise(length: int, seed: int = 1) -> bytes:
    """Bytes of which no two pieces are alike."""
    return b"".join((seed << 40 | n).to_bytes(8, "big") for n in range(length // 8 + 1))[:length]


def surveyed(folder: Path, segment: str = "a") -> tuple[bytes, Survey]:
    """All that can be read, and what is said of it."""
    pieces: list[bytes] = []
    reader = VaultReader(folder, segment, KEY)
    try:
        found = survey(reader, pieces.append)
    finally:
        reader.close()
    assert sum(map(len, pieces)) == found.bytes
    return b"".join(pieces), found


def written(folder: Path, pieces: list[bytes], *, seal: bool = False) -> bytes:
    """A vault of these appends; all of its plaintext."""
    writer = VaultWriter(folder, "a", KEY)
    for piece in pieces:
        writer.append(piece)
        assert surveyed(folder)[0].endswith(piece)
    if seal:
        writer.seal()
    writer.close(keep_tail=not seal)
    return b"".join(pieces)


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[], Path]:
    """New folders, as many as are wanted."""
    numbers = itertools.count()

    def make() -> Path:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return folder

    return make


SIZES = st.sampled_from([0, 1, 15, 16, 17, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK]) | st.integers(0, 3 * CHUNK)


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(SIZES, max_size=5), seal=st.booleans())
def test_whatever_was_appended_is_read_again(
    sizes: list[int], seal: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("vault")
    pieces = [noise(size, seed) for seed, size in enumerate(sizes, 1)]
    whole = written(folder, pieces, seal=seal)
    assert surveyed(folder) == (whole, Survey(len(whole), seal))
    assert (folder / "a.tail").exists() != seal
    shutil.rmtree(folder)


def states(folder: Path, before: list[bytes], last: bytes) -> Iterator[tuple[int | None, int | None]]:
    """Cuts the files at every place that a crash within the last append can leave; how much of each is left."""
    vault_path, tail_path = folder / "a.vault", folder / "a.tail"
    writer = VaultWriter(folder, "a", KEY)
    for piece in before:
        writer.append(piece)
    before_vault, before_tail = vault_path.stat().st_size, tail_path.read_bytes()
    writer.append(last)
    writer.close(keep_tail=True)
    whole_vault, whole_tail = vault_path.read_bytes(), tail_path.read_bytes()
    # A chunk is long: its ends byte by byte, and between them often enough.
    cuts = {n for n in range(before_vault, len(whole_vault) + 1) if n % 199 == 0}
    ends = [before_vault + n * STORED for n in range((len(whole_vault) - before_vault) // STORED + 1)]
    cuts |= {cut for end in ends for cut in range(end - 40, end + 41) if before_vault <= cut <= len(whole_vault)}
    tail_path.write_bytes(before_tail)
    for cut in sorted(cuts, reverse=True):
        os.truncate(vault_path, cut)
        yield cut, None
    vault_path.write_bytes(whole_vault)
    first = 0 if len(whole_vault) > before_vault else len(before_tail)
    changed = next((n for n in range(len(whole_tail)) if whole_tail[n:] == before_tail[n:]), len(whole_tail))
    for cut in range(changed, first - 1, -1):
        tail_path.write_bytes(whole_tail[:cut] + before_tail[cut:])
        yield None, cut


@pytest.mark.parametrize(
    ("before", "last"),
    [
        ([], 300),
        ([200, 100], 300),
        ([CHUNK + 5, 100], 300),
        ([CHUNK - 100], 100),
        ([CHUNK - 100], 180),
        ([CHUNK], 90),
        ([70], 2 * CHUNK + 30),
    ],
)
def test_a_crash_at_any_byte_of_the_last_append_costs_no_more_than_that(
    tmp_path: Path, before: list[int], last: int
) -> None:
    folder = tmp_path / "vault"
    folder.mkdir()
    pieces = [noise(size, seed) for seed, size in enumerate(before, 2)]
    durable, whole = b"".join(pieces), b"".join(pieces) + noise(last)
    seen = set()
    for state in states(folder, pieces, noise(last)):
        data, found = surveyed(folder)
        assert data.startswith(durable), state
        assert whole.startswith(data), state
        assert not found.sealed
        seen.add(len(data))
    assert {len(durable), len(whole)} <= seen


def test_files_cut_anywhere_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    whole = written(tmp_path, [noise(2 * CHUNK + 500, 1), noise(300, 2), noise(200, 3)])
    stored, tail = (tmp_path / "a.vault").read_bytes(), (tmp_path / "a.tail").read_bytes()
    for cut in range(len(tail), -1, -7):
        (tmp_path / "a.tail").write_bytes(tail[:cut])
        data, _ = surveyed(tmp_path)
        assert len(data) in {2 * CHUNK, 2 * CHUNK + 500, 2 * CHUNK + 800, len(whole)}
        assert whole.startswith(data)
    (tmp_path / "a.tail").write_bytes(tail)
    for cut in range(len(stored) - 1, HEADER, -977):
        os.truncate(tmp_path / "a.vault", cut)
        assert surveyed(tmp_path)[0] == whole[: (cut - HEADER) // STORED * CHUNK]


def test_a_crash_while_it_is_sealed_costs_nothing(tmp_path: Path) -> None:
    writer = VaultWriter(tmp_path, "a", KEY)
    writer.append(noise(CHUNK + 100))
    writer.seal()
    writer.close()
    path = tmp_path / "a.vault"
    assert surveyed(tmp_path) == (noise(CHUNK + 100), Survey(CHUNK + 100, True))
    for cut in range(path.stat().st_size - 1, HEADER + STORED - 1, -1):
        os.truncate(path, cut)
        assert surveyed(tmp_path) == (noise(CHUNK + 100), Survey(CHUNK + 100, False))


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, HEADER + 3 * STORED + 100 + 16 - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_names_its_chunk_and_gives_nothing_out(
    place: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    whole = written(folder, [noise(3 * CHUNK + 100)], seal=True)
    data = bytearray((folder / "a.vault").read_bytes())
    data[place] ^= 1 << bit
    (folder / "a.vault").write_bytes(data)
    if place < HEADER:
        with pytest.raises(VaultDamaged, match="chunk 0 of segment a"):
            VaultReader(folder, "a", KEY)
        return
    reader = VaultReader(folder, "a", KEY)
    damaged = (place - HEADER) // STORED
    for number in range(4):
        form: Any = {"length": 100, "final": True} if number == 3 else {}
        if number == damaged:
            with pytest.raises(VaultDamaged, match=f"chunk {number} of segment a"):
                reader.chunk(number, **form)
        else:
            assert reader.chunk(number, **form) == whole[number * CHUNK : (number + 1) * CHUNK]
    if damaged < 3:  # something sound stands behind it, so that no crash did it
        with pytest.raises(VaultDamaged, match=f"chunk {damaged} of segment a"):
            surveyed(folder)
    reader.close()
    shutil.rmtree(folder)


def test_a_changed_tail_is_read_up_to_the_change(tmp_path: Path) -> None:
    written(tmp_path, [noise(100, 1), noise(100, 2), noise(100, 3)])
    whole, tail = noise(100, 1) + noise(100, 2) + noise(100, 3), (tmp_path / "a.tail").read_bytes()
    for place in range(len(tail)):
        (tmp_path / "a.tail").write_bytes(tail[:place] + bytes((tail[place] ^ 4,)) + tail[place + 1 :])
        assert surveyed(tmp_path)[0] == whole[: 3 * place // len(tail) * 100]


def test_records_of_the_tail_are_read_in_their_order_and_without_a_gap(tmp_path: Path) -> None:
    written(tmp_path, [noise(100, 1), noise(100, 2), noise(100, 3)])
    tail = (tmp_path / "a.tail").read_bytes()
    first, second, third = (tail[at : at + len(tail) // 3] for at in range(0, len(tail), len(tail) // 3))
    for records in (first + third, first + third + second, first + first):
        (tmp_path / "a.tail").write_bytes(records)
        assert surveyed(tmp_path)[0] == noise(100, 1)
    (tmp_path / "a.tail").write_bytes(second + third)
    assert surveyed(tmp_path)[0] == b""


def test_a_chunk_that_was_on_disk_before_its_tail_began_anew_is_damaged_and_not_torn(tmp_path: Path) -> None:
    written(tmp_path, [noise(CHUNK + 100)])
    path = tmp_path / "a.vault"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(VaultDamaged, match="chunk 0 of segment a"):
        surveyed(tmp_path)
    (tmp_path / "a.tail").unlink()  # nothing stands behind it: the power may have failed
    assert surveyed(tmp_path) == (b"", Survey(0, False))


def test_chunks_and_records_stay_where_and_whose_they_are(tmp_path: Path) -> None:
    written(tmp_path, [noise(2 * CHUNK), noise(50)])
    data = (tmp_path / "a.vault").read_bytes()
    first, second = data[HEADER : HEADER + STORED], data[HEADER + STORED :]
    (tmp_path / "a.vault").write_bytes(data[:HEADER] + second + first)
    with pytest.raises(VaultDamaged):
        VaultReader(tmp_path, "a", KEY).chunk(0)
    (tmp_path / "b.vault").write_bytes(data)
    with pytest.raises(VaultDamaged):  # another segment's file, even with its key
        VaultReader(tmp_path, "b", KEY)
    (tmp_path / "b.vault").write_bytes(vault._header("b") + data[HEADER:])
    shutil.copy(tmp_path / "a.tail", tmp_path / "b.tail")
    reader = VaultReader(tmp_path, "b", KEY)
    assert reader.tail() is None
    with pytest.raises(VaultDamaged):
        reader.chunk(1)


def test_nothing_is_encrypted_twice_under_one_nonce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[bytes, bytes]] = []

    class Watched:
        def __init__(self, key: bytes) -> None:
            self._key, self._cipher = key, AESGCM(key)

        def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
            used.append((self._key, nonce))
            return self._cipher.encrypt(nonce, data, associated)

        def decrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
            return self._cipher.decrypt(nonce, data, associated)

    monkeypatch.setattr(vault, "AESGCM", Watched)
    written(tmp_path, [noise(size, size) for size in (10, CHUNK, 3, 2 * CHUNK, 7, CHUNK - 20, 1)], seal=True)
    chunks = [nonce for key, nonce in used if key == KEY]
    assert chunks == [n.to_bytes(11, "big") + bytes((n == 4,)) for n in range(5)]
    assert len(used) > len(chunks)
    assert len(set(used)) == len(used)


def test_a_vault_that_failed_or_was_sealed_is_never_written_again(tmp_path: Path) -> None:
    writer = VaultWriter(tmp_path, "a", KEY)
    writer.append(noise(CHUNK // 2))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK, before[1]))
        with pytest.raises(OSError, match="large"):
            writer.append(noise(2 * CHUNK))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    with pytest.raises(OSError, match="failed"):
        writer.append(b"x")
    with pytest.raises(OSError, match="failed"):
        writer.seal()
    assert writer.size == CHUNK // 2
    assert surveyed(tmp_path)[0] == noise(CHUNK // 2)
    with pytest.raises(FileExistsError):
        VaultWriter(tmp_path, "a", KEY)
    writer.close()
    sealed = VaultWriter(tmp_path, "b", KEY)
    sealed.seal()
    with pytest.raises(OSError, match="sealed"):
        sealed.append(b"x")
    sealed.close()


def test_its_lock_says_whether_somebody_writes(tmp_path: Path) -> None:
    assert not abandoned(tmp_path, "a")
    writer = VaultWriter(tmp_path, "a", KEY)
    assert not abandoned(tmp_path, "a")
    writer.close()
    assert abandoned(tmp_path, "a")
