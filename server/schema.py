"""TypeScript for the bodies of HTTP: `python -m server.schema` writes it, `--check` compares.

What a route takes and answers is read from the table of routes, so a page cannot know another body than the server.
"""

import argparse
import importlib
import pkgutil
import sys
import typing
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal

from aiohttp import web

import server
from server.routes import CAPABILITIES, ROUTES, ErrorAnswer, Route
from signaling import messages
from signaling.schema import PROTOCOL_ALIASES, GenerationError, declarations, write_or_check

GENERATOR = "server.schema"
MESSAGES = "../../signaling/browser/messages"
STAFF = Path("agent_client/browser/http.ts")
CUSTOMER = Path("customer_client/browser/http.ts")
READERS: dict[Path, frozenset[str]] = {
    STAFF: frozenset({"public", "participant", *CAPABILITIES}),
    CUSTOMER: frozenset({"public", "participant"}),
}
"""Generated file → the capabilities of the routes whose bodies it holds."""


def modules() -> list[ModuleType]:
    """Every module of the server; importing them puts all routes into the table."""
    names = [found.name for found in pkgutil.iter_modules(server.__path__) if not found.name.startswith("_")]
    return [importlib.import_module(f"server.{name}") for name in names]


def bodies(route: Route) -> list[Any]:
    """The types of what the route takes and answers as JSON; `list[T]` and `T | None` count as `T`."""
    return [kind for annotation in (route.body, route.response) for kind in _plain(annotation)]


def _plain(annotation: Any) -> list[Any]:
    origin = typing.get_origin(annotation)
    if origin is list or origin is UnionType or origin is typing.Union:
        return [kind for part in typing.get_args(annotation) for kind in _plain(part)]
    if annotation in (None, NoneType, Any):
        return []
    if isinstance(annotation, type) and issubclass(annotation, web.StreamResponse):
        return []
    return [annotation]


def _literals(found: list[ModuleType]) -> dict[str, Any]:
    """The literals that have a name in one of the modules, such as a ticket's states."""
    return {
        name: value
        for module in found
        for name, value in sorted(vars(module).items())
        if typing.get_origin(value) is Literal and not name.startswith("_") and name not in PROTOCOL_ALIASES
    }


def http() -> dict[Path, str]:
    """The generated modules of the HTTP bodies by their path in the repository."""
    found = modules()
    used = {
        path: [kind for route in ROUTES if capabilities & set(route.capabilities) for kind in bodies(route)]
        for path, capabilities in READERS.items()
    }
    protocol = set(declarations([messages.Event, messages.IceServer], PROTOCOL_ALIASES).text)
    kinds = list(dict.fromkeys([ErrorAnswer, *(kind for those in used.values() for kind in those)]))
    every = declarations([messages.Event, messages.IceServer, *kinds], {**PROTOCOL_ALIASES, **_literals(found)})
    written: dict[Path, str] = {}
    for path, those in used.items():
        wanted = {kind.__name__ for kind in [ErrorAnswer, *those]}
        if unknown := wanted - every.text.keys():
            raise GenerationError(f"Two types share a name, or have none: {', '.join(sorted(unknown))}.")
        written[path] = every.write(every.closure(wanted) - protocol, GENERATOR, {MESSAGES: protocol})
    return written


def main() -> int:
    """`python -m server.schema [--check]`."""
    parser = argparse.ArgumentParser(prog="python -m server.schema", description="TypeScript of the HTTP bodies.")
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    arguments = parser.parse_args()
    try:
        return write_or_check(http(), GENERATOR, arguments.check)
    except GenerationError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
