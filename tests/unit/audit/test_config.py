"""Where the log is kept follows from the settings."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from narthex.contracts.errors import Misconfigured
from narthex_audit.config import AuditSettings
from narthex_audit.engine import check_url


def test_the_log_is_kept_in_the_data_directory_unless_told_otherwise() -> None:
    assert AuditSettings().store_url(Path("/var/lib/narthex")) == "chdb:///var/lib/narthex/audit"


def test_a_relative_data_directory_is_taken_from_here() -> None:
    assert AuditSettings().store_url(Path("data")) == f"chdb://{Path.cwd()}/data/audit"


def test_a_server_can_be_named() -> None:
    url = "clickhouse://audit:secret@logs.example:8443/narthex"

    settings = AuditSettings(store=SecretStr(url))

    assert settings.store_url(Path("data")) == url
    assert "secret" not in repr(settings)
    check_url(url)


@pytest.mark.parametrize(
    "url", ["", "chdb://", "chdb:///", "chdb://relative/dir", "postgres://host/db", "clickhouse://"]
)
def test_any_other_store_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(Misconfigured, match="NARTHEX_AUDIT_STORE: must be chdb:///absolute/directory or clickhouse://"):
        check_url(url)
