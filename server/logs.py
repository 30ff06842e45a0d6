"""How log lines look, and what may never stand in them."""

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

SECRET = frozenset({"token", "password", "secret", "authorization", "cookie", "code_typed", "credential", "sdp"})


def _mask(_logger: object, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in line:
        if key in SECRET:
            line[key] = "********"
    return line


class _Unfailing:
    """Standard error; a line that cannot be written (the disk may be full) is lost, and hurts nobody else."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def configure(level: str, form: str) -> None:
    """Log to standard error: as JSON, or for a person; `auto` decides by whether it is a terminal."""
    terminal = sys.stderr.isatty()
    person = form == "console" or (form == "auto" and terminal)
    # structlog's own choice shows local variables, and with them whatever is secret
    plain = structlog.dev.plain_traceback
    console = structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=plain)
    renderer: Any = console if person else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _mask,
            *([] if person else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Unfailing())),
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
