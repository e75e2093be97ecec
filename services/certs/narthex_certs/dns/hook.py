"""A command of the operator's, for a DNS that speaks nothing else.

It is run as `<command> add|remove <name> <value>` and has succeeded when it exits with 0. Nothing of it goes through
a shell.
"""

import asyncio
import shlex

from narthex.contracts.errors import Misconfigured
from narthex_certs.acme.problem import CaAway


class Hook:
    """Runs the command for each record."""

    def __init__(self, command: str, timeout_s: float) -> None:
        self._command = shlex.split(command)
        self._timeout_s = timeout_s
        if not self._command:
            raise Misconfigured("NARTHEX_CERTS_DNS_HOOK is needed for the hook: a command and its arguments")

    async def add(self, name: str, value: str) -> None:
        await self._run("add", name, value)

    async def remove(self, name: str, value: str) -> None:
        await self._run("remove", name, value)

    async def _run(self, *arguments: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise CaAway(f"the DNS hook could not be run: {error}") from error
        try:
            _, said = await asyncio.wait_for(process.communicate(), self._timeout_s)
        except TimeoutError:
            raise CaAway(f"the DNS hook took longer than {self._timeout_s:g} s to {arguments[0]} a record") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            words = said.decode(errors="replace").strip()[-200:]
            raise CaAway(f"the DNS hook failed to {arguments[0]} {arguments[1]} (exit {process.returncode}): {words}")
