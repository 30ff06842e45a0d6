"""`sightline share`: what it takes, and that it needs nothing of the server."""

import subprocess
import sys

import pytest

from customer_client import command

SERVERS_OWN = "server.cli recorder sqlalchemy alembic aiosqlite argon2 jinja2 typer rich pydantic_settings limits segno"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["help me"], "code"), (["https://help.example.org/join"], "link"), (["4F7K-2M9Q"], "server")],
)
def test_what_makes_no_sense_is_explained(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == 2
    assert capsys.readouterr().err == f"{command.HELP[told]}\n"


def test_the_command_of_the_distribution_needs_nothing_of_the_server() -> None:
    script = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {SERVERS_OWN.split()}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Missing())
import customer_client.program, customer_client.faces.terminal
from server.entry import main
for sys.argv in (["sightline", "serve"], ["sightline", "share", "nonsense?"]):
    try:
        main()
    except SystemExit as ended:
        print(ended.code)
"""
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert finished.stdout.splitlines() == [
        "Only the customer's client is installed: sightline share LINK-OR-CODE. The server is sightline[server].",
        "2",
    ], finished.stderr
