"""Making a picture anew from its pixels, in a process of its own: what a decoder may do wrong costs one picture.

`python -m server.pictures SOURCE TARGET` reads SOURCE, writes TARGET and prints one line of JSON: the
picture, or one of the codes of `REFUSALS`. No metadata, no second frame and no trailing bytes get through.
"""

import asyncio
import contextlib
import errno
import os
import resource
import signal
import sys
import warnings
from pathlib import Path
from typing import Literal

import msgspec
from PIL import Image, ImageFile, ImageOps

MAX_BYTES = 15 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 16_384
_SECONDS = 20
_MEMORY = 1_500_000_000
_MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

Refused = Literal["not_a_picture", "picture_too_large", "picture_animated", "picture_damaged", "disk_full"]
REFUSALS: dict[Refused, str] = {
    "not_a_picture": "This file is not a PNG, JPEG or WebP picture. Choose a picture of one of these kinds.",
    "picture_too_large": "This picture is too large. Send one of at most 15 MB, 40 megapixels and 16384 pixels a side.",
    "picture_animated": "This picture moves. Send a still picture, for example a screenshot.",
    "picture_damaged": "This picture is damaged or cut off. Send it again, or take a new screenshot.",
    "disk_full": "The server has no room to store this picture. Tell your administrator, then send it again.",
}


class Picture(msgspec.Struct, frozen=True):
    """What was written: size in pixels, and MIME type."""

    width: int
    height: int
    mime: str


class PictureRefusedError(Exception):
    """A picture that was not taken; `code` is stable, the text says what to do."""

    def __init__(self, code: Refused) -> None:
        super().__init__(REFUSALS[code])
        self.code: Refused = code


class _Report(msgspec.Struct, frozen=True):
    picture: Picture | None
    error: Refused | None


def sniff(head: bytes) -> bool:
    """Whether a file that begins with these bytes (12 or more) says that it is a PNG, JPEG or WebP."""
    return (
        head.startswith(b"\x89PNG\r\n\x1a\n")
        or head.startswith(b"\xff\xd8\xff")
        or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")
    )


def reencode(source: Path, target: Path) -> Picture:
    """Decodes `source` and writes its pixels to `target` in the same format; raises `PictureRefusedError`."""
    with source.open("rb") as file:
        if not sniff(file.read(16)):
            raise PictureRefusedError("not_a_picture")
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        opened = Image.open(source, formats=list(_MIME))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureRefusedError("picture_too_large") from error
    except Exception as error:
        raise PictureRefusedError("picture_damaged") from error
    with opened as image:
        if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
            raise PictureRefusedError("picture_too_large")
        kind = str(image.format)
        try:
            if getattr(image, "n_frames", 1) > 1:
                raise PictureRefusedError("picture_animated")
            image.load()
            pixels = ImageOps.exif_transpose(image)
        except PictureRefusedError:
            raise
        except Exception as error:  # Pillow's decoders raise whatever they like on hostile input
            raise PictureRefusedError("picture_damaged") from error
        wanted = "RGB" if kind == "JPEG" or not pixels.has_transparency_data else "RGBA"
        clean = Image.new(wanted, pixels.size)
        clean.paste(pixels.convert(wanted))
    options: dict[str, int] = {"compress_level": 4} if kind == "PNG" else {"quality": 92}
    with target.open("xb") as file:
        clean.save(file, kind, **options)
        file.flush()
        os.fdatasync(file.fileno())
    return Picture(clean.width, clean.height, _MIME[kind])


async def reencode_apart(source: Path, target: Path) -> Picture:
    """As `reencode`, in a child with bounds on memory and time; `target` does not exist after a failure."""
    command = [sys.executable, "-I", "-m", "server.pictures", str(source), str(target)]
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_SECONDS * 2):
            printed, _ = await child.communicate()
        report = msgspec.json.decode(printed, type=_Report)
    except (TimeoutError, msgspec.DecodeError):
        report = _Report(None, "picture_damaged")
    except BaseException:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGKILL)
            await child.wait()
    if report.picture is None:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise PictureRefusedError(report.error or "picture_damaged")
    return report.picture


def main() -> None:
    """The child: bounds itself, then does the one picture of its arguments."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    source, target = (Path(argument) for argument in sys.argv[1:3])
    try:
        report = _Report(reencode(source, target), None)
    except PictureRefusedError as error:
        report = _Report(None, error.code)
    except MemoryError:
        report = _Report(None, "picture_too_large")
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        report = _Report(None, "disk_full")
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    main()
