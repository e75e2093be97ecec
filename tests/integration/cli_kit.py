"""The command line as a user types it, against a registry in the test's process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integration.registry_kit import config
from typer.testing import CliRunner, Result

from narthex.cli.app import app
from narthex_registry.app import open


@dataclass
class Typed:
    """Runs commands with an environment of their own."""

    url: str
    environment: dict[str, str] = field(default_factory=dict)

    async def run(self, *words: str, given: str = "") -> Result:
        """The result of a command; `given` is what standard input says."""
        return await asyncio.to_thread(CliRunner().invoke, app, list(words), input=given, env=self.environment)

    async def read(self, *words: str, given: str = "") -> Any:
        """What a command that must succeed prints as JSON."""
        result = await self.run(*words, "--json", given=given)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    async def rows(self, *words: str) -> list[dict[str, str]]:
        """The table that a command prints."""
        result = await self.run(*words)
        assert result.exit_code == 0, result.output
        header, *rows = [line.split("\t") for line in result.stdout.splitlines()]
        return [dict(zip(header, row, strict=True)) for row in rows]

    async def done(self, *words: str) -> str:
        """What a command that must succeed says on standard error."""
        result = await self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stderr

    async def refused(self, *words: str, given: str = "") -> str:
        """Why a command that must fail did."""
        result = await self.run(*words, given=given)
        assert result.exit_code != 0, result.output
        return result.stderr.removeprefix("error: ").strip()


@asynccontextmanager
async def typed(directory: Path) -> AsyncIterator[Typed]:
    """Commands as the administrator of a new registry, in a home of their own."""
    home = directory / "home"
    home.mkdir(parents=True)
    async with open(config(directory)) as registry:
        url = f"http://127.0.0.1:{registry.port}"
        token = (directory / "admin.token").read_text().strip()
        yield Typed(
            url,
            {"NARTHEX_API_URL": url, "NARTHEX_TOKEN": token, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "conf")},
        )
