"""Our account at a CA: made when first needed, kept sealed, found again after a restart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from narthex.contracts.errors import Misconfigured
from narthex.runtime.clock import Clock
from narthex.runtime.sealing import Sealer
from narthex_certs.acme.client import Client
from narthex_certs.acme.problem import Problem
from narthex_certs.acme.signing import AccountKey, Binding
from narthex_certs.config import AcmeSettings, read_secret
from narthex_certs.order import Record
from narthex_certs.records import Records


class AccountRecord(Record):
    """An account at the CA of a directory; `url` is empty until the CA has said where it is."""

    id: str  # the directory's URL
    sealed_key: str
    url: str = ""
    next_sealed_key: str = ""  # of a change of keys that may have been made at the CA, or not


class Accounts:
    """Clients with an account."""

    def __init__(
        self, session: aiohttp.ClientSession, records: Records, sealer: Sealer, clock: Clock, settings: AcmeSettings
    ) -> None:
        self._session = session
        self._records = records
        self._sealer = sealer
        self._clock = clock
        self._settings = settings

    async def client(self, directory: str, *, lasting: bool = True) -> Client:
        """A client with an account at the directory; one that does not last is for a rehearsal."""
        held = self._records.get("account", directory, AccountRecord) if lasting else None
        if held is None:
            key = AccountKey.generate()
            held = AccountRecord(id=directory, sealed_key=self._sealer.seal(key.pem(), account_context(directory)))
            if lasting:  # the key first: an account whose key is lost is none
                await self._records.put("account", directory, held)
        else:
            held = await self._settled(held)
            key = self._key(held)
        client = Client(self._session, directory, key, self._clock, held.url)
        if not held.url:
            url = await client.register(contacts(self._settings.contact), binding(self._settings))
            if lasting:
                await self._records.put("account", directory, held.model_copy(update={"url": url}))
        return client

    async def change_key(self, directory: str, client: Client) -> None:
        """Have the account of a client go on with a new key. Written down first: the CA may have made the change."""
        held = self._records.get("account", directory, AccountRecord)
        assert held is not None, "the client's account is kept"
        key = AccountKey.generate()
        sealed = self._sealer.seal(key.pem(), account_context(directory))
        await self._records.put("account", directory, held.model_copy(update={"next_sealed_key": sealed}))
        await client.change_key(key)
        await self._take_next(held, sealed)

    async def _settled(self, held: AccountRecord) -> AccountRecord:
        """The record without a change of keys that was cut off: the CA says which key is the account's."""
        if not held.next_sealed_key:
            return held
        key = AccountKey.from_pem(self._sealer.open(held.next_sealed_key, account_context(held.id)))
        if await Client(self._session, held.id, key, self._clock).find():
            return await self._take_next(held, held.next_sealed_key)
        held = held.model_copy(update={"next_sealed_key": ""})
        await self._records.put("account", held.id, held)
        return held

    async def _take_next(self, held: AccountRecord, sealed: str) -> AccountRecord:
        held = held.model_copy(update={"sealed_key": sealed, "next_sealed_key": ""})
        await self._records.put("account", held.id, held)
        return held

    def _key(self, held: AccountRecord) -> AccountKey:
        return AccountKey.from_pem(self._sealer.open(held.sealed_key, account_context(held.id)))

    async def forget(self, directory: str, problem: Problem) -> bool:
        """Let go of an account that the CA does not know any more; whether that was it."""
        if problem.kind != "accountDoesNotExist":
            return False
        await self._records.remove("account", directory)
        return True


def account_context(directory: str) -> str:
    """What an account's key is sealed for."""
    return f"account:{directory}"


def contacts(text: str) -> list[str]:
    return [f"mailto:{each.strip()}" for each in text.split(",") if each.strip()]


def binding(settings: AcmeSettings) -> Binding | None:
    """The external account of the settings."""
    if not settings.eab_key_id:
        return None
    return Binding(settings.eab_key_id, read_secret(settings.eab_mac_key_file, "NARTHEX_CERTS_ACME_EAB_MAC_KEY_FILE"))


@asynccontextmanager
async def open_ca_session(settings: AcmeSettings) -> AsyncIterator[aiohttp.ClientSession]:
    """Connections to the CA, and to no other host than its own."""
    import ssl

    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    except OSError as error:
        raise Misconfigured(f"NARTHEX_CERTS_ACME_CA_FILE: {error}") from None
    connector = aiohttp.TCPConnector(ssl=context, limit=settings.parallel)
    async with aiohttp.ClientSession(connector=connector, trust_env=True) as session:
        yield session
