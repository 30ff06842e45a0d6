"""The `sightline` command.

What takes long to load (the application, aiortc, PyAV) is imported by the command that needs it.
"""

import asyncio
import os
import secrets
import signal
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from server import instance, logs
from server.cli_export import export_command, verify_command
from server.cli_keys import key_commands
from server.cli_recordings import recording_commands
from server.keys import open_archive
from server.problems import Problem
from server.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from server.accounts import NewUser
    from server.serving import Ready

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Self-hosted remote assist."
)
user_commands = typer.Typer(no_args_is_help=True, help="People who sign in.")
config_commands = typer.Typer(no_args_is_help=True, help="Settings.")
cli.add_typer(user_commands, name="user")
cli.add_typer(config_commands, name="config")
cli.add_typer(key_commands, name="keys")
cli.add_typer(recording_commands, name="recordings")
cli.command("export")(export_command)
cli.command("verify")(verify_command)

Data = Annotated[Path | None, typer.Option(help="Folder of everything that is stored.")]
ServerUrl = Annotated[str, typer.Option("--server", help="Address of the server to work for.")]
UntilStdinEnds = Annotated[bool, typer.Option("--until-stdin-ends", hidden=True)]


def _settings(**flags: object) -> Settings:
    try:
        settings = load(None, **flags)
    except SettingsError as error:
        _fail(str(error))
    logs.configure(settings.log_level, settings.log_format)
    return settings


def _fail(text: str) -> Any:
    typer.echo(text, err=True)
    raise typer.Exit(1)


def _run(work: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(work)
        return
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    uvloop.run(work)


def _tls_flags(tls: str | None) -> dict[str, object]:
    """`self-signed`, or CERT,KEY."""
    if tls is None or tls in {"off", "self-signed"}:
        return {"tls": tls}
    certificate, _, key = tls.partition(",")
    return {"tls": "files", "tls_cert": certificate, "tls_key": key or None}


def _serve(settings: Settings, ready: "Ready | None" = None) -> None:
    from server.serving import serve  # noqa: PLC0415

    try:
        _run(serve(settings, ready))
    except instance.AlreadyRunning as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"Cannot listen at {settings.host}:{settings.port}: {error.strerror or error}. Choose another --port.")


@cli.command("serve")
def serve_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data: Data = None,
    tls: Annotated[str | None, typer.Option(help="self-signed, or CERT,KEY (PEM files).")] = None,
) -> None:
    """Run the server, with a worker and a recorder beside it."""
    _serve(_settings(host=host, port=port, data=data, **_tls_flags(tls)))


@cli.command("demo")
def demo_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data: Data = None,
    tls: Annotated[str | None, typer.Option(help="self-signed, or CERT,KEY (PEM files).")] = None,
) -> None:
    """Run the server with a workspace to look at and a customer who shares a moving desktop."""
    from server import demo  # noqa: PLC0415

    place = data or Path(os.environ.get("SIGHTLINE_DATA", demo.DATA))
    organization = os.environ.get("SIGHTLINE_ORGANIZATION", demo.ORGANIZATION)
    settings = _settings(host=host, port=port, data=place, organization=organization, **_tls_flags(tls))
    try:
        asyncio.run(demo.prepare(settings))
    except instance.AlreadyRunning as error:
        _fail(str(error))
    _serve(settings, demo.present)


def _child(until_stdin_ends: bool, told: signal.Signals = signal.SIGTERM) -> None:
    """Tell this process when the server that started it is gone, however it ended."""
    if not until_stdin_ends:
        return

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), told)

    threading.Thread(target=wait, daemon=True, name="until stdin ends").start()


def _process_secret(settings: Settings) -> str:
    if settings.process_secret is not None:
        return settings.process_secret.get_secret_value()
    if found := instance.running(settings.data):
        return found.secret
    return str(_fail("Set SIGHTLINE_PROCESS_SECRET to the same secret as the server's."))


@cli.command("worker")
def worker_command(server: ServerUrl, data: Data = None, until_stdin_ends: UntilStdinEnds = False) -> None:
    """Run a worker, which makes videos out of recordings."""
    from server import worker  # noqa: PLC0415

    settings = _settings(data=data)
    secret = _process_secret(settings)
    _child(until_stdin_ends)
    _run(worker.run(server, secret, settings.data, open_archive(settings)))


@cli.command("recorder")
def recorder_command(server: ServerUrl, data: Data = None, until_stdin_ends: UntilStdinEnds = False) -> None:
    """Run a recorder, which writes what is shared and may be recorded."""
    from recorder import process  # noqa: PLC0415

    settings = _settings(data=data)
    secret = _process_secret(settings)
    _child(until_stdin_ends, signal.SIGHUP)
    process.record(server, secret, open_archive(settings))


PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@cli.command("share", add_help_option=False, context_settings=PASSED_ON)
def share_command(context: typer.Context) -> None:
    """Show this computer's screen to who sent you a link or told you a code."""
    from customer_client import command  # noqa: PLC0415

    raise typer.Exit(command.main(context.args))


@user_commands.command("add")
def user_add(
    email: str,
    name: Annotated[str, typer.Option(help="Name that customers see.")],
    role: Annotated[str, typer.Option(help="agent, trainer, qa or admin.")] = "agent",
    password: Annotated[str | None, typer.Option(help="By default one is made and printed.", envvar="PASSWORD")] = None,
    data: Data = None,
) -> None:
    """Add a member of staff."""
    from server.accounts import NewUser  # noqa: PLC0415
    from server.logins import StaffRole  # noqa: PLC0415

    settings = _settings(data=data)
    if role not in get_args(StaffRole):
        _fail(f"There is no role {role}; choose one of {', '.join(get_args(StaffRole))}.")
    chosen = password or secrets.token_urlsafe(12)
    try:
        new = msgspec.convert({"email": email, "name": name, "role": role, "password": chosen}, NewUser)
        asyncio.run(_add_user(settings, new))
    except Problem as problem:
        _fail(problem.text)
    except msgspec.ValidationError as error:
        _fail(f"Not added: {error}.")
    typer.echo(f"Added {email} as {role}." + ("" if password else f" The password is {chosen}"))


async def _add_user(settings: Settings, new: "NewUser") -> None:
    """Through the running server when there is one, for only one process may write."""
    import aiohttp  # noqa: PLC0415

    from server import accounts, audit, passwords  # noqa: PLC0415
    from server.database import open_database  # noqa: PLC0415

    accounts.check_password(new.password)
    if found := instance.running(settings.data):
        headers = {"Authorization": f"Bearer {found.secret}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{found.url}/api/users", json=msgspec.to_builtins(new)) as response,
        ):
            if response.status != 200:
                error = (await response.json())["error"]
                raise Problem(error["code"], error["text"])
        return
    with instance.claim(settings.data):
        database = await open_database(settings.database, settings.database_timeout_s)
        password_hash = await passwords.hashed(new.password)
        try:
            async with database.write() as connection:
                added = await accounts.add_user(connection, new, password_hash)
                await audit.record(connection, None, "user.created", added.id, "console")
        finally:
            await database.close()


@config_commands.command("show")
def config_show() -> None:
    """Every setting with its value; secrets are masked."""
    settings = _settings()
    table = Table("setting", "value", "meaning", box=None)
    for name, value in settings.masked().items():
        table.add_row(name, "" if value is None else str(value), Settings.model_fields[name].description)
    Console().print(table)


@cli.command("doctor")
def doctor_command(data: Data = None, port: Annotated[int | None, typer.Option()] = None) -> None:
    """Look whether this machine has all that the server needs."""
    from server import doctor  # noqa: PLC0415

    settings = _settings(data=data, port=port)
    running = settings.data.exists() and instance.running(settings.data) is not None
    findings = list(doctor.examine(settings, running))
    for finding in findings:
        typer.echo(f"{'ok     ' if finding.well else 'PROBLEM'}  {finding.subject}: {finding.text}")
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """The entry point of the distribution."""
    cli()


if __name__ == "__main__":
    main()
