"""Builds the client that customers download, for the system that this runs on: `make client`.

What comes out is `dist/clients/sightline-SYSTEM.zip`: a program and all that it needs, without Python and without
anything of the server. It is built again only when what it is made of has changed.
"""

import hashlib
import importlib.metadata
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = ROOT / "dist/clients"
PARTS = ("annotate", "signaling", "customer_client", "deploy")
NEEDED = re.compile(r"lib(?P<name>[a-zA-Z0-9_]+)-[0-9a-f]+\.so\.(?P<major>\d+)")
NEVER_CALLED = re.compile(r"lib(openblasp|avif|SvtAv1Enc|dav1d|mp3lame|opencore-amr[nw]b)-")
"""Of OpenCV, what solves equations and reads files; of PyAV, codecs without use here."""
LEVEL = 6
"""Of deflate: the next two take up to twice as long for four parts in a thousand."""
SYSTEMS_OWN = ("libmvec.so.1",)
"""Parts of glibc, which have to be those of the system that the client runs on."""


def system() -> str:
    """As file names and the page of the invitation name it, such as linux-x86_64."""
    names = {"win32": "windows", "darwin": "macos"}
    machine = {"AMD64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{names.get(sys.platform, sys.platform)}-{machine}"


def fingerprint() -> str:
    """A hash of all that goes into a client: our sources, and the versions of what is installed."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(p for part in PARTS for p in (ROOT / part).rglob("*") if p.suffix in {".py", ".json", ".spec"}):
        if "browser" not in path.parts and "static" not in path.parts:
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    for each in sorted(f"{found.name}=={found.version}" for found in importlib.metadata.distributions()):
        digest.update(each.encode())
    return digest.hexdigest()


def _patchelf(*arguments: str | Path) -> str:
    command = [str(Path(sys.executable).parent / "patchelf"), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def slim(libraries: Path) -> None:
    """Takes out of a Linux build what is there for debuggers, what is there twice, and what is never called."""
    # Not from what wheels bring in their own folders: `strip` breaks what auditwheel has moved about.
    names = [str(p) for p in libraries.rglob("*.so*") if p.is_file() and not p.is_symlink() and ".libs" not in str(p)]
    subprocess.run(["strip", "--strip-unneeded", *names], check=True)
    others = {(found["name"], found["major"]): path.name for wheel in ("pillow.libs", "av.libs")
              for path in (libraries / wheel).iterdir() if (found := NEEDED.match(path.name))}  # fmt: skip
    vision = next((libraries / "cv2").glob("cv2*.so"))
    places = ":".join(f"$ORIGIN/../{wheel}.libs" for wheel in ("av", "pillow", "opencv_python_headless"))
    edits = ["--force-rpath", "--set-rpath", places]
    for needed in _needs(vision):
        found = NEEDED.match(needed)
        if NEVER_CALLED.match(needed):
            edits += ["--remove-needed", needed]
        elif found and (other := others.get((found["name"], found["major"]))):
            edits += ["--replace-needed", needed, other]
    _patchelf(*edits, vision)
    for path in (libraries / "av.libs").glob("libavcodec-*"):
        idle = [needed for needed in _needs(path) if NEVER_CALLED.match(needed)]
        _patchelf(*(word for needed in idle for word in ("--remove-needed", needed)), path)
    for name in SYSTEMS_OWN:
        (libraries / name).unlink(missing_ok=True)
    _drop_unneeded(libraries)


def _needs(binary: Path) -> list[str]:
    return _patchelf("--print-needed", binary).split()


def _drop_unneeded(libraries: Path) -> None:
    """Removes shared libraries of the wheels that nothing names any more."""
    needs = {path: _needs(path) for path in libraries.rglob("*.so*") if path.is_file() and not path.is_symlink()}
    while True:
        needed = {name for names in needs.values() for name in names}
        loose = [path for path in needs if path.parent.name.endswith(".libs") and path.name not in needed]
        if not loose:
            return
        for path in loose:
            del needs[path]
            path.unlink()
            (libraries / path.name).unlink(missing_ok=True)  # the link that PyInstaller puts beside


def pack(folder: Path, archive: Path) -> None:
    """Zips what is in a folder, without the folder: it is unpacked into one that is called as the file is."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink():
                entry = zipfile.ZipInfo(str(path.relative_to(folder)))
                entry.create_system, entry.external_attr = 3, 0o120777 << 16
                packed.writestr(entry, str(path.readlink()))
            elif path.is_file():
                packed.write(path, path.relative_to(folder))


def build() -> Path:
    """The built client, made now if it is not there yet."""
    archive = CLIENTS / f"sightline-{system()}.zip"
    stamp, made_of = archive.with_suffix(".stamp"), fingerprint()
    if archive.exists() and stamp.exists() and stamp.read_text() == made_of:
        return archive
    CLIENTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
        places = ["--distpath", str(work / "dist"), "--workpath", str(work / "build")]
        subprocess.run([*command, *places, str(ROOT / "deploy/client.spec")], check=True, cwd=work)
        built = work / "dist/Sightline"
        if sys.platform == "linux":
            slim(built / "_internal")
        pack(built, work / archive.name)
        shutil.move(work / archive.name, archive)
    stamp.write_text(made_of)
    return archive


if __name__ == "__main__":
    made = build()
    print(f"{made.relative_to(ROOT)}: {made.stat().st_size / 2**20:.0f} MiB")
