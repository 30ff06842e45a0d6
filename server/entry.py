"""The entry point of the distribution: the customer's command needs nothing of what the server is made of."""

import sys


def main() -> None:
    """Runs `sightline`; without the server's packages only `sightline share` is there."""
    if sys.argv[1:2] == ["share"]:
        from customer_client import command  # noqa: PLC0415 - each side may be installed without the other

        sys.exit(command.main(sys.argv[2:]))
    try:
        from server.cli import cli  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name in {"server", "recorder", "signaling", "annotate"}:
            raise
        sys.exit(
            "Only the customer's client is installed: sightline share LINK-OR-CODE. The server is sightline[server]."
        )
    cli()
