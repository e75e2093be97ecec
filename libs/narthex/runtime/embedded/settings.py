"""Settings of `narthex up`: its flags, or `NARTHEX_*` variables where a flag is not given."""

import os
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings

from narthex.contracts.errors import Misconfigured
from narthex.runtime.settings import group


class UpSettings(BaseSettings):
    """What an installation on one machine can be told. Rules are checked by `preflight`."""

    model_config = group("NARTHEX_")

    data_dir: Path = Path(".narthex")  # everything that must survive; one `narthex up` at a time
    domain: str = "localhost"  # services live at <id>.services.<domain>
    http_port: int = 8080  # ACME challenges, and 308 to HTTPS
    https_port: int = 8443
    api_port: int = 8000
    bind: str = "127.0.0.1"  # nothing is reachable from other machines unless asked for
    router_workers: int = Field(default_factory=lambda: len(os.sched_getaffinity(0)))  # one a core
    allow_public: bool = False  # may services without authentication exist?
    log_level: str = "info"


def read_settings(**flags: Any) -> UpSettings:
    """The settings from flags (None = not given) and environment; Misconfigured names the first wrong one."""
    try:
        return UpSettings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise Misconfigured(f"--{name.replace('_', '-')} or NARTHEX_{name.upper()}: {first['msg']}") from None
