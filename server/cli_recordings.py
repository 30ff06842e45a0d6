"""`sightline recordings`: deletion from the machine itself, by who has no browser at hand."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import msgspec
import typer

from server import instance
from server.problems import Problem
from server.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from server.deletion import DeletionOrder

recording_commands = typer.Typer(no_args_is_help=True, help="What was recorded.")


@recording_commands.callback()
def recordings() -> None:
    """What was recorded."""


@recording_commands.command("delete")
def delete_command(
    session: Annotated[str, typer.Argument(help="The session's id, as it stands in the address of its player.")],
    reason: Annotated[str, typer.Option(help="Why; it stays on the tombstone.")],
    customer_request: Annotated[bool, typer.Option(help="Whether the customer asked for it.")] = False,
    delete_articles: Annotated[bool, typer.Option(help="Also delete the articles that were made of it.")] = False,
    data: Annotated[Path | None, typer.Option(help="Folder of everything that is stored.")] = None,
) -> None:
    """Delete a recording for good, unless a legal hold keeps it. What is left is a signed tombstone."""
    from server.deletion import DeletionOrder  # noqa: PLC0415 - as below: the application takes long to load

    body = {
        "ground": "customer_request" if customer_request else "other",
        "reason": reason,
        "articles": "delete" if delete_articles else "keep",
    }
    try:
        asyncio.run(_delete(load(None, data=data), session, msgspec.convert(body, DeletionOrder)))
    except (SettingsError, msgspec.ValidationError) as error:
        typer.echo(f"Nothing was deleted: {error}.", err=True)
        raise typer.Exit(1) from None
    except Problem as problem:
        typer.echo(problem.text, err=True)
        raise typer.Exit(1) from None
    typer.echo(f"The recording of session {session} was deleted.")


async def _delete(settings: Settings, session: str, order: "DeletionOrder") -> None:
    """Through the running server when there is one, for only one process may write."""
    import aiohttp  # noqa: PLC0415

    from server.database import now_ms, open_database  # noqa: PLC0415
    from server.deletion import Order, delete  # noqa: PLC0415
    from server.signing import open_signer  # noqa: PLC0415

    if found := instance.running(settings.data):
        headers = {"Authorization": f"Bearer {found.secret}"}
        address = f"{found.url}/api/recordings/{quote(session, safe='')}/deletion"
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(address, json=msgspec.to_builtins(order)) as response,
        ):
            if response.status != 204:
                error = (await response.json())["error"]
                raise Problem(error["code"], error["text"])
        return
    with instance.claim(settings.data):
        database = await open_database(settings.database, settings.database_timeout_s)
        try:
            told = Order("console", None, "console", order.ground, order.reason, order.articles)
            await delete(database, settings.data, open_signer(settings), session, told, now_ms())
        finally:
            await database.close()
