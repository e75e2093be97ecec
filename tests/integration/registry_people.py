"""A registry with people in it, for tests of who may do what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from integration.registry_kit import P, config

from narthex.testing.rest import Rest, rest
from narthex_registry.app import open
from narthex_registry.config import SignInSettings

PASSWORD = "correct horse"


@dataclass
class House:
    """The API as its administrator sees it, and as others do, by name."""

    port: int
    api: Rest
    bearers: dict[str, str] = field(default_factory=dict)  # name: what they send as their credential
    ids: dict[str, str] = field(default_factory=dict)

    async def person(self, name: str, organization: str = "default", *, admin: bool = False) -> str:
        """Somebody of an organization who is signed in; their id."""
        email = f"{name}@people.test"
        await self.api.made("/v2.1/user", {"email": email, "password": PASSWORD})
        member = await self.api.made(f"/v2.1/organizations/{organization}/users", {"email": email, "admin": admin})
        self.ids[name] = member["id"]
        self.bearers[name] = await self.sign_in(name)
        return self.ids[name]

    async def member(self, name: str, role: str = "", **on: str) -> str:
        """Somebody of the project `default`, with a role there or on something in it."""
        user_id = await self.person(name)
        await self.api.made(f"{P}/users", {"user_id": user_id})
        if role:
            await self.give(name, role, **on)
        return user_id

    async def service_user(self, name: str, role: str = "", **on: str) -> dict[str, Any]:
        made: dict[str, Any] = await self.api.made(f"{P}/service-users", {"name": name})
        self.ids[name], self.bearers[name] = made["id"], made["token"]
        if role:
            await self.give(name, role, **on)
        return made

    async def give(self, name: str, role: str, **on: str) -> str:
        """Give a role; the assignment's id."""
        body = {"role": role, "assignee": self.ids[name], "assignee_type": "user", **on}
        assignment: str = (await self.api.made(f"{P}/role-assignments", body))["id"]
        return assignment

    async def sign_in(self, name: str, password: str = PASSWORD) -> str:
        status, body = await self.api.post("/authorize", {"email": f"{name}@people.test", "password": password})
        assert status == 200, body
        access: str = body["access"]
        return access

    async def ask(self, name: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """What somebody is answered."""
        return await self.api.call(method, path, body, headers={"Authorization": f"Bearer {self.bearers[name]}"})

    async def stock(self) -> None:
        """Two deployments with a service each."""
        for deployment, service in (("hello", "web"), ("other", "second")):
            await self.api.made(f"{P}/deployments", {"name": deployment})
            await self.api.made(f"{P}/deployments/{deployment}/versions", {"version": "v1"})
            await self.api.made(f"{P}/services", {"name": service, "deployment": deployment, "port": 8080})


@asynccontextmanager
async def house(directory: Path, *, sign_in: SignInSettings | None = None, **api: Any) -> AsyncIterator[House]:
    """A registry with nobody in it but its administrator."""
    settings = replace(config(directory, **api), sign_in=sign_in or SignInSettings())
    async with open(settings) as registry:
        token = (directory / "admin.token").read_text().strip()
        async with rest(registry.port, token) as client:
            yield House(registry.port, client, {"administrator": token})
