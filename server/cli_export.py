"""`sightline export` and `sightline verify`: a session out of the data folder, and what it proves."""

import asyncio
import tempfile
import zipfile
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from recorder import verification
from server import instance
from server.keys import open_archive
from server.problems import Problem
from server.settings import Settings, SettingsError, load


def export_command(
    session: Annotated[str, typer.Argument(help="The session's id, as it stands in the address of its player.")],
    to: Annotated[Path | None, typer.Option(help="Folder to make; by default sightline-SESSION.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of everything that is stored.")] = None,
) -> None:
    """Write a session into a folder that can be looked at and checked without a server."""
    target = to or Path(f"sightline-{session}")
    if target.exists():
        typer.echo(f"{target} is there already. Choose another folder with --to.", err=True)
        raise typer.Exit(1)
    try:
        asyncio.run(_export(load(None, data=data), session, target))
    except (SettingsError, instance.AlreadyRunning) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except Problem as problem:
        typer.echo(problem.text, err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"Not exported: {error}.", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"Exported to {target}. Look at {target / 'index.html'}, and check it with: sightline verify {target}")


async def _export(settings: Settings, session: str, target: Path) -> None:
    """Through the running server when there is one, for only one process may write."""
    if found := instance.running(settings.data):
        await _download(f"{found.url}/api/recordings/{quote(session, safe='')}/export", found.secret, target)
        return
    from server import audit  # noqa: PLC0415 - as below: the application takes long to load
    from server.database import now_ms, open_database  # noqa: PLC0415
    from server.export import Export, gather, write_folder  # noqa: PLC0415
    from server.signing import open_signer  # noqa: PLC0415

    with instance.claim(settings.data):
        database = await open_database(settings.database, settings.database_timeout_s)
        try:
            signer = open_signer(settings)
            case = await gather(database, signer, settings, session)
            async with database.write() as connection:
                await audit.record(connection, None, "recording.exported", session, "console")
            contents = Export(case, open_archive(settings), signer, now_ms()).contents()
            await asyncio.to_thread(write_folder, contents, target)
        finally:
            await database.close()


async def _download(url: str, secret: str, target: Path) -> None:
    import aiohttp  # noqa: PLC0415

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as made:
        packed = Path(made) / "export.zip"
        headers = {"Authorization": f"Bearer {secret}"}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        async with (
            aiohttp.ClientSession(headers=headers, timeout=timeout, auto_decompress=False) as http,
            http.get(url) as response,
        ):
            if response.status != 200:
                error = (await response.json())["error"]
                raise Problem(error["code"], error["text"])
            with packed.open("wb") as file:
                async for piece in response.content.iter_chunked(1 << 20):
                    await asyncio.to_thread(file.write, piece)
        await asyncio.to_thread(_unpack, packed, Path(made) / "unpacked", target)


def _unpack(packed: Path, made: Path, target: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(made)
    (folder,) = made.iterdir()
    folder.rename(target)


def verify_command(
    folder: Annotated[Path, typer.Argument(help="Folder of an export.")],
    key: Annotated[list[str] | None, typer.Option(help="Id of a key that you trust; as often as there are.")] = None,
    checkpoint: Annotated[
        list[str] | None, typer.Option(help="A checkpoint that was kept elsewhere: from the ticket or the webhook.")
    ] = None,
) -> None:
    """Check an exported session: 0 when nothing was altered, 1 when something was, 2 when it cannot be told."""
    arguments = [str(folder)]
    for name, values in (("--key", key), ("--checkpoint", checkpoint)):
        arguments += [part for value in values or () for part in (name, value)]
    raise typer.Exit(verification.main(arguments))
