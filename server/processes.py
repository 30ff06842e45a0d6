"""Child processes of the server: started, watched, started again when they die, and ended with it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence

import structlog

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
STEADY_S = 30.0
"""Who lived this long is started again without a longer pause."""
STOP_S = 2.5

log = structlog.get_logger()


class Child:
    """One process that is kept running; its standard input is a pipe that ends with us, so it never outlives us."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._command = list(command)
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None
        self._asked: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def start(self) -> None:
        """Start it, and again whenever it ends."""
        self._task = asyncio.create_task(self._keep(), name=f"child {self.name}")

    def end(self) -> None:
        """Ask it to end, and do not start it again; returns at once."""
        if self._task is not None:
            self._task.cancel()
        process = self._process
        if process is not None and process is not self._asked:
            self._asked = process
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it without another word; from any thread."""
        self._signal(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end, and after `STOP_S` end it."""
        self.end()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self.end()  # it may have been starting just then
        if self._process is None:
            return
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)

    async def _keep(self) -> None:
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_S
        while True:
            started = loop.time()
            self._process = await asyncio.create_subprocess_exec(
                *self._command, env=self._environment, stdin=asyncio.subprocess.PIPE, start_new_session=True
            )
            log.info("child_started", child=self.name, pid=self._process.pid)
            code = await self._process.wait()
            pause = FIRST_PAUSE_S if loop.time() - started > STEADY_S else min(LONGEST_PAUSE_S, pause * 2)
            log.error("child_ended", child=self.name, code=code, again_in_s=pause)
            await asyncio.sleep(pause)
