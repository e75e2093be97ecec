"""Settings of the audit service."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from narthex.bus import BusSettings
from narthex.runtime.settings import ProcessSettings, SecretSettings, group, with_password


class AuditSettings(SecretSettings):
    """Where request records are kept."""

    model_config = group("NARTHEX_AUDIT_")

    # chdb:///absolute/dir: the ClickHouse engine in this process; clickhouse://user:password@host:port/database
    # for a server (port 8443: over TLS). Empty: chdb under <data_dir>/audit. Secret: it may carry a password.
    store: SecretStr = SecretStr("")
    store_password: SecretStr = SecretStr("")  # instead of one in the URL
    memory_limit_mb: int = 1024  # what the chDB engine may take before it refuses a query; idle it needs 100

    # Of the engine in this process: above it the oldest requests go, whatever their retention says. 0: no bound.
    max_store_gb: float = 20.0

    def max_store_bytes(self) -> int:
        """How large the store may become; 0: as large as it gets."""
        ours = urlsplit(self.store.get_secret_value() or "chdb://").scheme == "chdb"
        return int(self.max_store_gb * 1e9) if ours else 0

    def store_url(self, data_dir: Path) -> str:
        """The store to use, as a URL."""
        url = self.store.get_secret_value()
        return with_password(url, self.store_password) if url else f"chdb://{(data_dir / 'audit').absolute()}"


class Config:
    """Every settings group of this service, read from the environment."""

    def __init__(self) -> None:
        self.process = ProcessSettings()
        self.bus = BusSettings()
        self.audit = AuditSettings()
