"""Settings that several parts have in common. Each is a small frozen group read from `NARTHEX_*` variables.

A part's own groups are in its `config.py`. A component gets the values it uses, never a whole group tree.
"""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from narthex.contracts.names import parse_domain
from narthex.contracts.reach import Reach, parse_reach
from narthex.runtime.secret_files import SecretFiles

Port = Annotated[int, Field(ge=0, le=65535)]  # 0: any that is free


def group(prefix: str) -> SettingsConfigDict:
    """The configuration of a settings group whose variables start with `prefix`."""
    return SettingsConfigDict(env_prefix=prefix, title=prefix, frozen=True, extra="ignore")


def parse_url(text: str, schemes: Collection[str]) -> SplitResult:
    """A URL with a host, in one of these schemes; ValueError otherwise, which does not repeat what may be a secret."""
    parts = urlsplit(text)
    try:
        if parts.scheme in schemes and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # the port is none
        pass
    raise ValueError(f"must be like {' or '.join(f'{scheme}://host:port' for scheme in schemes)}")


def with_password(url: str, password: SecretStr) -> str:
    """A URL with a password that is kept apart from it; unchanged when there is none, or nobody to give it to."""
    parts = urlsplit(url)
    if not password.get_secret_value() or not parts.hostname:
        return url
    credentials, _, place = parts.netloc.rpartition("@")
    user = credentials.partition(":")[0]
    return parts._replace(netloc=f"{user}:{quote(password.get_secret_value(), safe='')}@{place}").geturl()


class ProcessSettings(BaseSettings):
    """What every process of Narthex has."""

    model_config = group("NARTHEX_")

    data_dir: Path = Path(".narthex")  # everything that must survive a restart of this process
    domain: str = "localhost"  # services live at <id>.services.<domain>
    log_level: str = "info"
    admin_bind: str = "127.0.0.1"  # /healthz, /readyz and /metrics are never public
    admin_port: Port = 0  # 0: any free port, printed in the log
    # After SIGTERM it goes on for so long, not ready any more, so that what sends requests here looks elsewhere first.
    stop_delay_s: float = Field(0.0, ge=0, le=60)

    @field_validator("domain")
    @classmethod
    def _domain(cls, text: str) -> str:
        return parse_domain(text)

    @field_validator("log_level")
    @classmethod
    def _log_level(cls, text: str) -> str:
        if text.upper() not in logging.getLevelNamesMapping():
            raise ValueError("must be one of debug, info, warning, error")
        return text


class SecretSettings(BaseSettings):
    """A group with secrets: each may be in a file that `<variable>_FILE` names (`narthex.runtime.secret_files`)."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, SecretFiles(settings_cls), env_settings)


class TableSettings(SecretSettings):
    """Where the shared routing table is."""

    model_config = group("NARTHEX_REDIS_")

    url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")  # secret: it may carry a password
    password: SecretStr = SecretStr("")  # instead of one in the URL
    timeout_s: float = Field(2.0, gt=0)  # an answer takes under 1 ms; longer means the server hangs

    @field_validator("url")
    @classmethod
    def _url(cls, url: SecretStr) -> SecretStr:
        parse_url(url.get_secret_value(), ("redis", "rediss"))
        return url

    @property
    def address(self) -> str:
        """The URL, with the password."""
        return with_password(self.url.get_secret_value(), self.password)


class SealingSettings(BaseSettings):
    """Where the key is under which secrets are kept at rest; see `narthex.runtime.sealing`."""

    model_config = group("NARTHEX_SEALING_")

    key_file: Path = Path(".narthex/sealing.key")


class InstanceSettings(BaseSettings):
    """Where instances may be, beyond the rule of `narthex.contracts.reach`."""

    model_config = group("NARTHEX_INSTANCES_")

    allow: str = ""  # networks that are refused otherwise, e.g. `169.254.0.0/16`
    deny: str = ""  # networks, and addresses with a port, of this installation's own: `10.9.0.0/16, 127.0.0.1:4222`

    @field_validator("deny")
    @classmethod
    def _deny(cls, text: str) -> str:
        parse_reach("", text)
        return text

    @field_validator("allow")
    @classmethod
    def _allow(cls, text: str) -> str:
        parse_reach(text, "")
        return text

    def reach(self) -> Reach:
        return parse_reach(self.allow, self.deny)
