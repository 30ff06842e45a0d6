"""`sightline demo`: a workspace to look at, and a customer who shares a moving desktop.

What is seeded is only ever added where it is missing, so that a second start keeps all that was done in the first.
"""

import asyncio
import os
import secrets
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from server import accounts, checkpoints, demo_recording, instance, knowledge, passwords, transcript
from server.accounts import NewUser
from server.app import App
from server.database import Database, articles, clips, new_id, now_ms, open_database, sessions, tickets, users
from server.demo_recording import Cast
from server.knowledge import NewClip
from server.logins import StaffRole
from server.processes import Child
from server.sessions import insert_session
from server.settings import Settings
from server.tickets import NewTicket, TicketPriority, TicketStatus, insert_note, insert_ticket
from signaling.session import Participant

DATA = Path("data/demo")
ORGANIZATION = "ACME Support"
ACCOUNTS, CUSTOMER = "demo.json", "demo-customer.json"
SESSION = "demo-printer-session"
_HOUR = 3_600_000
_SUBJECT = "Every second page is blank"
_PROBLEM = "Since Monday the printer in the front office prints every second page blank. The test page was fine."
_ARTICLE = """When **two-sided printing** is on and the printer has no duplex unit, every second page comes out blank.

1. Open *Printers* and choose your printer.
2. Set **Two-sided** to *Off*.
3. Print again.

A driver update can switch it on without asking. If it comes back, ask us.
"""

log = structlog.get_logger()


class Account(msgspec.Struct, frozen=True):
    """A sign-in that is printed."""

    email: str
    name: str
    role: StaffRole
    password: str


PEOPLE: tuple[tuple[str, str, StaffRole], ...] = (
    ("maria@example.com", "Maria Petrou", "agent"),
    ("tom@example.com", "Tom Becker", "trainer"),
    ("quinn@example.com", "Quinn Adeyemi", "qa"),
    ("admin@example.com", "Ada Novak", "admin"),
)


class Seed(NamedTuple):
    """A ticket as it is found on the desk."""

    new: NewTicket
    status: TicketStatus
    hours_ago: int
    notes: tuple[str, ...]


def _seed(
    title: str, problem: str, priority: TicketPriority, who: str, status: TicketStatus, hours_ago: int, *notes: str
) -> Seed:
    email = f"{who.lower().split(maxsplit=1)[0]}@example.net"
    return Seed(NewTicket(title, problem, priority, who, email), status, hours_ago, notes)


TICKETS = (
    _seed("VPN asks for a code that never comes", "The text message with the code does not arrive since my new phone.",
          "high", "Emil Sorensen", "open", 3, "Number in the directory is the old one. Asked HR to change it."),
    _seed("Не открывается общий календарь", "После обновления календарь отдела пишет «нет доступа».",
          "normal", "Irina Volkova", "pending", 20, "Права запрошены у владельца календаря."),
    _seed("Η οθόνη μένει μαύρη μετά την αναστολή", "Πρέπει να κλείσω και να ανοίξω τον υπολογιστή κάθε φορά.",
          "low", "Nikos Georgiou", "open", 28),
    _seed("Cannot open the invoice attachment", "The file type is blocked, it says. It comes from our own accounting.",
          "urgent", "Priya Nair", "open", 1),
    _seed("New starter needs a second monitor", "Desk 4.12, from the first of the month.",
          "low", "Hannah Cole", "closed", 200, "Delivered and connected."),
)  # fmt: skip
ARTICLES = (
    ("Connect to the VPN with a new phone", "1. Ask us to register the **new number**.\n2. Sign in and choose "
     "*Send a code*.\n3. Type the code within two minutes.\n\nNo code? See whether roaming blocks text messages."),
    ("Как открыть общий календарь", "1. Откройте *Календарь* и выберите **Добавить общий**.\n2. Найдите отдел по "
     "названию.\n3. Нажмите **Открыть**.\n\nЕсли нет доступа, напишите владельцу календаря или спросите нас."),
    ("Μαύρη οθόνη μετά την αναστολή λειτουργίας", "1. Πατήστε **Ctrl+Alt+Del**.\n2. Ανοίξτε τις *Ρυθμίσεις οθόνης*."
     "\n3. Εγκαταστήστε το νέο πρόγραμμα οδήγησης.\n\nΑν δεν αλλάξει κάτι, ζητήστε βοήθεια."),
)  # fmt: skip


# --- Before the server listens ---


async def prepare(settings: Settings) -> None:
    """Add the people who can sign in; raises `instance.AlreadyRunning` when the demo runs already."""
    with instance.claim(settings.data):
        known = read_accounts(settings.data)
        people = known or [Account(*person, secrets.token_urlsafe(9)) for person in PEOPLE]
        if not known:
            _write_accounts(settings.data, people)
        database = await open_database(settings.database, settings.database_timeout_s)
        try:
            for account in people:
                await _have(database, account, renew=not known)
        finally:
            await database.close()


def read_accounts(data: Path) -> list[Account]:
    """The sign-ins of the demo in this folder; none when it was never started."""
    try:
        return msgspec.json.decode((data / ACCOUNTS).read_bytes(), type=list[Account])
    except (OSError, msgspec.MsgspecError):
        return []


def _write_accounts(data: Path, people: list[Account]) -> None:
    with os.fdopen(os.open(data / ACCOUNTS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(people))


async def _have(database: Database, account: Account, renew: bool) -> None:
    async with database.read() as connection:
        of_account = select(users.c.id).where(users.c.email == account.email)
        exists = (await connection.execute(of_account)).one_or_none() is not None
    if exists and not renew:
        return
    hashed = await passwords.hashed(account.password)
    async with database.write() as connection:
        if exists:
            change = users.update().where(users.c.email == account.email)
            await connection.execute(change.values(password_hash=hashed, disabled=False))
        else:
            new = NewUser(account.email, account.name, account.role, account.password)
            await accounts.add_user(connection, new, hashed)


# --- Beside the server ---


async def present(app: App, url: str) -> None:
    """Show the addresses and sign-ins, seed what is missing, and have the customer come; runs until cancelled."""
    try:
        user = {account.role: await _user_id(app, account.email) for account in read_accounts(app.data)}
        await seed_tickets(app, user["agent"])
        await seed_articles(app, user["trainer"])
        _print(app, url)
        found = instance.running(app.data)
        customer = _customer(app, found.url if found else url)
        customer.start()
        try:
            await seed_recording(app, user["agent"])
            await seed_clip(app, user["trainer"])
            await asyncio.Event().wait()
        finally:
            await customer.stop()
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("demo_failed")


def _customer(app: App, url: str) -> Child:
    command = [sys.executable, "-m", "server.demo_customer", url, str((app.data / CUSTOMER).resolve())]
    return Child("customer", command, {k: v for k, v in os.environ.items() if not k.startswith("SIGHTLINE_")})


async def _user_id(app: App, email: str) -> str:
    async with app.database.read() as connection:
        found: str = (await connection.execute(select(users.c.id).where(users.c.email == email))).scalar_one()
    return found


async def seed_tickets(app: App, agent: str) -> None:
    """The desk's tickets, once."""
    async with app.database.write() as connection:
        if (await connection.execute(select(func.count()).select_from(tickets))).scalar_one():
            return
        for seed in TICKETS:
            at = now_ms() - seed.hours_ago * _HOUR
            ticket = await insert_ticket(connection, seed.new, agent if seed.notes else None)
            for note in seed.notes:
                await insert_note(connection, ticket, agent, note)
            change = tickets.update().where(tickets.c.id == ticket)
            await connection.execute(change.values(status=seed.status, created_at=at, updated_at=at))


async def seed_articles(app: App, trainer: str) -> None:
    """The help centre's articles without a video, once."""
    async with app.database.write() as connection:
        if (await connection.execute(select(func.count()).select_from(articles))).scalar_one():
            return
        for title, text in ARTICLES:
            await knowledge.insert_article(connection, title, text, trainer, "published")


async def seed_recording(app: App, agent: str) -> None:
    """The finished session with its recording and its ticket, once."""
    async with app.database.read() as connection:
        if (await connection.execute(select(sessions.c.id).where(sessions.c.id == SESSION))).one_or_none():
            return
        name: str = (await connection.execute(select(users.c.name).where(users.c.id == agent))).scalar_one()
    if not (stored := await app.timeline.read(SESSION)):
        begun_at, segment = now_ms() - 26 * _HOUR, new_id()
        finished = await demo_recording.record(app.archive, segment, begun_at)
        cast = Cast(
            agent,
            Participant(new_id(), "agent", name),
            Participant(new_id(), "customer", "Dana Whitfield"),
            Participant(new_id(), "recorder", "Recorder"),
        )
        stored = demo_recording.timeline(cast, app.settings.organization, _SUBJECT, segment, begun_at, finished)
        await app.timeline.append(SESSION, 0, stored, None)
    async with app.database.write() as connection:
        new = NewTicket(_SUBJECT, _PROBLEM, "normal", "Dana Whitfield", "dana@example.net")
        ticket = await insert_ticket(connection, new, agent)
        await insert_session(
            connection, SESSION, _SUBJECT, problem=_PROBLEM, customer_name="Dana Whitfield", language="en",
            ask_recording=True, ticket=ticket, owner_id=agent,
        )  # fmt: skip
        lived = {"created_at": stored[0].at, "ended_at": stored[-1].at}
        await connection.execute(sessions.update().where(sessions.c.id == SESSION).values(**lived))
        await connection.execute(tickets.update().where(tickets.c.id == ticket).values(created_at=stored[0].at - _HOUR))
    await transcript.write(app, SESSION)
    await checkpoints.seal(app, SESSION, "end")


async def seed_clip(app: App, trainer: str) -> None:
    """The article with a video out of that recording, made by the worker; once."""
    async with app.database.read() as connection:
        if (await connection.execute(select(clips.c.id).where(clips.c.session_id == SESSION).limit(1))).first():
            return
    begun_at = (await app.timeline.read(SESSION))[0].at
    marks = (begun_at + 12_400, begun_at + (demo_recording.STARTED_S + demo_recording.RECORDED_S) * 1000 - 1000)
    await knowledge.publish(app, SESSION, NewClip(*marks, "Every second page is blank", _ARTICLE), trainer)


def _print(app: App, url: str) -> None:
    console = Console()
    table = Table("role", "e-mail", "password", title="Sign in at the console with", title_justify="left", box=None)
    for account in read_accounts(app.data):
        table.add_row(account.role, account.email, account.password)
    console.print(f"\nConsole      {url}/console", highlight=False)
    console.print(f"Help centre  {url}/help", highlight=False)
    console.print(f"Get help     {url}/get-help", highlight=False)
    console.print(f"Join page    {url}/join   (links and codes are made on a ticket's page)\n", highlight=False)
    console.print(table)
    console.print("\nDana waits on the console's waiting list: accept her, and her desktop is live.")
    console.print(f"Everything is kept in {app.data}. Ctrl-C ends it.\n", highlight=False)
