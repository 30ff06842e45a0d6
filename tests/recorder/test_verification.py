"""The verifier: one file that needs nothing of the server, hashes as the server does, and speaks plainly."""

import ast
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from recorder import verification
from recorder.digest import MediaDigest
from recorder.verification import Finding, verify
from signaling import checkpoints
from signaling.messages import ChatSaid, Event
from signaling.timeline import seal
from tests.chaos.evidence import (
    CHECKPOINTS,
    KEYS,
    MANIFEST,
    TIMELINE,
    Evidence,
    Files,
    MemoryFolder,
    changed,
    lines_of,
    prepare,
    signer,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """A session with two finished segments and one that was interrupted, as it is exported."""
    return prepare(tmp_path_factory.mktemp("evidence"))


@pytest.fixture
def folder(evidence: Evidence, tmp_path: Path) -> Path:
    """The same on disk."""
    for name, content in evidence.files.items():
        path = tmp_path / "export" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "export"


def found(files: Files, *kept: str) -> list[Finding]:
    return verify(MemoryFolder(files), kept=kept).findings


def test_it_is_one_file_that_imports_nothing_but_python_and_cryptography() -> None:
    tree = ast.parse(Path(verification.__file__).read_text("utf-8"))
    names = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    names |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"cryptography"}


def test_an_export_checks_itself_with_nothing_of_the_server_at_hand(folder: Path, tmp_path: Path) -> None:
    alone = [sys.executable, "-I", "verify.py"]
    good = subprocess.run(alone, cwd=folder, capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stderr
    assert good.stdout.startswith("INTERRUPTED, NOT TAMPERED")
    moved = shutil.move(folder / "media" / "first.webm", tmp_path / "kept.webm")
    bad = subprocess.run(alone, cwd=folder, capture_output=True, text=True, check=False)
    assert bad.returncode == 1, moved
    assert bad.stdout.splitlines()[:2] == ["SOMETHING IS WRONG", "  The file of segment first is missing."]
    nothing = subprocess.run([*alone, "nowhere"], cwd=folder, capture_output=True, text=True, check=False)
    assert nothing.returncode == 2


@settings(deadline=None)
@given(
    TEXT,
    st.integers(1, 2**53),
    st.integers(0, 2**53),
    TEXT,
    TEXT,
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=32, max_size=32),
)
def test_it_hashes_an_event_as_the_server_does(
    session: str, seq: int, at: int, actor: str, text: str, salt: bytes, before: bytes
) -> None:
    sealed = seal(session, Event(seq, at, actor, ChatSaid(text)), before, salt)
    event = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in msgspec.structs.asdict(sealed).items()
    }
    assert verification.commitment(event["salt"], event["body"]) == event["commitment"]
    assert verification.event_hash(session, event) == event["hash"]


@settings(deadline=None)
@given(
    st.recursive(
        TEXT | st.integers(-(2**53), 2**53) | st.booleans() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=8,
    )
)
def test_its_json_is_that_of_the_server(value: object) -> None:
    assert verification.canonical(value).encode() == msgspec.json.encode(value)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(0, 3))
def test_it_digests_media_as_the_recorder_does(pieces: list[bytes], large: int) -> None:
    pieces = [piece * (400 if number < large else 1) for number, piece in enumerate(pieces)]
    digest = MediaDigest()
    for piece in pieces:
        digest.update(piece)
    chunks = [hashlib.sha256(chunk).digest() for chunk in verification.chunks_of(iter(pieces))]
    assert verification.tree(chunks) == digest.final()


def test_an_interrupted_recording_is_told_apart_from_one_that_was_cut(evidence: Evidence) -> None:
    report = verify(MemoryFolder(evidence.files))
    assert (report.findings, report.interrupted) == ([], ["third"])
    shorter = evidence.files["media/third.webm"][:-1]
    (cut, *_) = found(changed(evidence, "media/third.webm", shorter))
    assert (cut.kind, cut.where) == ("cut", ("chunk", "third", len(shorter) // verification.CHUNK))


def test_without_the_signed_list_it_still_says_what_the_timeline_vouches_for(evidence: Evidence) -> None:
    files = {name: content for name, content in evidence.files.items() if name != MANIFEST}
    assert [finding.where for finding in found(files)] == [("file", MANIFEST)]
    media = bytearray(files["media/third.webm"])
    media[100] ^= 1  # in what stood on the timeline when the recorder died
    where = [finding.where for finding in found(files | {"media/third.webm": bytes(media)})]
    assert where == [("file", MANIFEST), ("chunk", "third", 0)]


def test_a_chain_made_anew_is_found_by_its_checkpoints_alone(evidence: Evidence) -> None:
    lines = lines_of(evidence.files[TIMELINE])
    files = {name: content for name, content in evidence.files.items() if name != MANIFEST}
    before: str | None = None
    for number, line in enumerate(lines):
        event = msgspec.json.decode(line)
        if number == 6:
            event["at"] += 1
        if before is not None:
            event["previous_hash"] = before
        before = event["hash"] = verification.event_hash(evidence.session, event)
        lines[number] = verification.canonical(event).encode() + b"\n"
    (_, fault, *_) = found(files | {TIMELINE: b"".join(lines)})
    assert fault.where == ("event", 1)
    assert fault.until is not None and fault.until >= 7


def test_an_older_export_is_good_until_it_is_held_against_a_checkpoint_from_the_ticket(evidence: Evidence) -> None:
    assert found(evidence.older) == []
    note = f"Keep this line:\n{checkpoints.token(evidence.checkpoints[-1])}\n"
    (fault, *_) = found(evidence.older, note)
    assert (fault.kind, fault.where) == ("rolled_back", ("event", len(lines_of(evidence.older[TIMELINE])) + 1))
    assert found(evidence.files, note) == []
    (fault, *_) = found(evidence.other, note)
    assert (fault.kind, "session-one" in fault.text) == ("swapped", True)
    with pytest.raises(ValueError, match="no checkpoint"):
        found(evidence.files, "sightline-checkpoint.x")


def test_only_a_key_that_is_trusted_will_do(evidence: Evidence) -> None:
    assert verify(MemoryFolder(evidence.files), [evidence.signer.key_id]).findings == []
    (fault, *_) = verify(MemoryFolder(evidence.files), ["0" * 32]).findings
    assert (fault.kind, fault.where) == ("untrusted", ("key", evidence.signer.key_id))


@pytest.mark.parametrize("name", [TIMELINE, CHECKPOINTS, KEYS, MANIFEST, "media/first.chunks", "media/first.head"])
@pytest.mark.parametrize("content", [b"", b"\n", b"[]\n", b'{"a":', b"\xff" * 50, b"[" * 100_000])
def test_no_content_whatever_breaks_it(evidence: Evidence, name: str, content: bytes) -> None:
    assert found(changed(evidence, name, content))


def test_what_was_erased_needs_a_signed_deletion(evidence: Evidence) -> None:
    files = {name: content for name, content in evidence.files.items() if name != "tombstone.json"}
    assert [finding.where for finding in found(files)] == [("file", "tombstone.json")]
    foreign = verification.canonical(
        {"statement": '{"purpose":"tombstone","erased":[6]}', "key_id": "", "signature": ""}
    )
    (altered, *_) = found(changed(evidence, "tombstone.json", foreign.encode()))
    assert (altered.kind, altered.where) == ("altered", ("file", "tombstone.json"))


def test_a_stranger_who_signs_nonsense_breaks_nothing(evidence: Evidence) -> None:
    mallory = signer(7)
    nonsense = mallory.signed(b'{"purpose":"export","session":1,"events":[],"files":{},"media":[1]}')
    files = changed(evidence, MANIFEST, verification.canonical(msgspec.structs.asdict(nonsense)).encode())
    keys = {**mallory.public_keys, **evidence.signer.public_keys}
    files[KEYS] = verification.canonical({name: key.hex() for name, key in keys.items()}).encode()
    assert found(files)


def test_a_chunk_that_was_changed_with_the_list_is_still_found_between_two_marks(evidence: Evidence) -> None:
    media, listed = bytearray(evidence.files["media/second.webm"]), evidence.files["media/second.chunks"]
    media[-1] ^= 1
    files = changed(evidence, "media/second.webm", bytes(media)) | {"media/second.chunks": listed[:-2] + b"x\n"}
    whole, chunk, *_ = found(files)
    assert (whole.where, chunk.where[:2]) == (("file", "media/second.chunks"), ("chunk", "second"))
    assert isinstance(chunk.where[2], int) and chunk.until is not None
    assert 0 < chunk.where[2] <= len(media) // verification.CHUNK <= chunk.until


def test_not_even_the_case_of_a_letter_can_be_changed(evidence: Evidence) -> None:
    lines = lines_of(evidence.files[TIMELINE])
    event = msgspec.json.decode(lines[3])
    lines[3] = verification.canonical(event | {"salt": event["salt"].upper()}).encode() + b"\n"
    assert lines != lines_of(evidence.files[TIMELINE])
    assert found(changed(evidence, TIMELINE, b"".join(lines)))[0].where == ("event", 4)
