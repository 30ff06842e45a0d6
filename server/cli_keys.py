"""`sightline keys`: the key-encryption keys of recordings, listed and rotated, also while the server runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from recorder.archive import Archive
from recorder.keyring import drop_unused, rewrap, usage
from server.keys import open_archive
from server.settings import SettingsError, load

key_commands = typer.Typer(no_args_is_help=True, help="Keys of recordings.")

Data = Annotated[Path | None, typer.Option(help="Folder of everything that is stored.")]


class RotationError(OSError):
    """Some segments' keys could not be unwrapped; the text names them."""


def rotate(archive: Archive, *, drop: bool, reached: Callable[[str], None]) -> tuple[str, list[str]]:
    """Wraps all segments' keys by a new key, or by the first of the setting; its id, and the keys that were dropped.

    May be interrupted at every step, of which `reached` is told, and repeated. Raises OSError, and `RotationError`
    when it has done all that it could.
    """
    folder, keyring = archive.folder, archive.keyring
    if keyring.changeable:
        keyring.add()
        reached("key added")
    if failed := rewrap(folder, keyring, reached):
        raise RotationError(f"The keys of these segments cannot be unwrapped: {', '.join(failed)}. All others are new.")
    reached("all rewrapped")
    dropped = drop_unused(folder, keyring) if drop and keyring.changeable else []
    return next(iter(keyring.keys())), dropped


def _archive(data: Path | None) -> Archive:
    try:
        return open_archive(load(None, data=data))
    except (SettingsError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@key_commands.command("rotate")
def rotate_command(
    drop_old: Annotated[bool, typer.Option("--drop-old", help="Forget the keys that wrap nothing any more.")] = False,
    data: Data = None,
) -> None:
    """Wrap every recording's key anew; media is not touched. May be interrupted and repeated."""
    archive = _archive(data)
    if drop_old and not archive.keyring.changeable:
        typer.echo("The keys come from a setting: take the old ones out of it yourself afterwards.", err=True)
        raise typer.Exit(1)
    try:
        first, dropped = rotate(archive, drop=drop_old, reached=lambda step: None)
    except OSError as error:
        typer.echo(f"Not finished: {error} Mend it, and run this again.", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"All recordings are under key {first}." + (f" Forgot {', '.join(dropped)}." if dropped else ""))


@key_commands.command("list")
def list_command(data: Data = None) -> None:
    """Every key by its id, and how many segments it wraps."""
    archive = _archive(data)
    try:
        used, known = usage(archive.folder), list(archive.keyring.keys())
    except OSError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    table = Table("key", "segments", "", box=None)
    for name in known:
        table.add_row(name, str(used[name]), "wraps new recordings" if name == known[0] else "")
    for name in sorted(used.keys() - set(known)):
        table.add_row(name, str(used[name]), "MISSING: these recordings cannot be read")
    Console().print(table)
