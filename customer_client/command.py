"""`sightline share LINK-OR-CODE`, and a client that was downloaded: there the name says whom it is to talk to."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import truststore

from customer_client.invitation import Invitation, Unreadable, read_file_name, read_invitation
from customer_client.words import LANGUAGES, Words

HELP = {
    "link": "That is not a link of an invitation. Copy it whole, such as https://help.example.org/join#...",
    "code": "That is neither a link nor a code. A code has eight letters and digits, such as 4F7K-2M9Q.",
    "server": "A code needs the address of its server: sightline share 4F7K-2M9Q --server https://help.example.org",
}


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("sightline share", description="Show your screen to who invited you.")
    parser.add_argument("invitation", nargs="?", help="the link that you were sent, or the code that you were told")
    parser.add_argument("--server", help="address of the server that a code belongs to")
    parser.add_argument("--terminal", action="store_true", help="ask and answer in the terminal, without a window")
    parser.add_argument("--language", choices=LANGUAGES, help="by default the system's")
    return parser.parse_args(arguments)


def _from_name() -> Invitation | None:
    """What the name of the program, or of a folder that it lies in, says."""
    program = Path(sys.executable if getattr(sys, "frozen", False) else sys.argv[0]).absolute()
    found = (read_file_name(name) for name in (program.name, *(folder.name for folder in program.parents)))
    return next((invitation for invitation in found if invitation is not None), None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the client until the person closes it; the process's exit code."""
    # Before anything opens a connection: who is trusted is said by the system, not by what this program was built on.
    truststore.inject_into_ssl()
    given = _arguments(sys.argv[1:] if arguments is None else arguments)
    words = Words(given.language)
    try:
        invitation = read_invitation(given.invitation, given.server) if given.invitation else _from_name()
    except Unreadable as error:
        print(HELP[error.code], file=sys.stderr)
        return 2
    from customer_client.faces.available import open_face  # noqa: PLC0415 - what connects is imported once `ssl` is as it should be
    from customer_client.program import Program  # noqa: PLC0415

    Program(invitation, open_face(terminal=given.terminal), words).run()
    return 0
