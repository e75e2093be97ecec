"""PostgreSQL for the registry: how it connects, and what it asks of transactions.

Changes lock the counter row before anything else, so they cannot deadlock and see all that was committed before;
READ COMMITTED is enough for them. Reads are of one moment, as SQLite's are.
"""

from typing import Any

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

READING: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
SERVER_SETTINGS = {
    "application_name": "narthex-registry",
    "lock_timeout": "4s",  # another registry's change takes milliseconds; longer means that it hangs
    "idle_in_transaction_session_timeout": "30s",  # and then the server ends it
}
# A database that hangs must not take the API's callers with it: they are told within seconds (503).
CONNECT_WITHIN_S = 2.0
ANSWER_WITHIN_S = 5.0


def create_engine(url: URL) -> AsyncEngine:
    """An engine whose connections are looked at before they are used: a server that was restarted is no error."""
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=10,
        pool_timeout=CONNECT_WITHIN_S,
        connect_args={
            "server_settings": SERVER_SETTINGS,
            "timeout": CONNECT_WITHIN_S,
            "command_timeout": ANSWER_WITHIN_S,
        },
    )
