"""Secrets from files, as Compose and Kubernetes mount them: `NARTHEX_X_FILE` names the file that holds `NARTHEX_X`.

Only settings that are secrets are looked for. White space round the secret is not part of it.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from narthex.contracts.errors import Misconfigured


class SecretFiles(PydanticBaseSettingsSource):
    """The secrets of one settings group that are in files."""

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, _, _ = self.get_field_value(field, name)
            if value is not None:
                found[name] = value
        return found

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{self.config.get('env_prefix', '')}{field_name}".upper()
        path = os.environ.get(f"{variable}_FILE", "") if field.annotation is SecretStr else ""
        if path and os.environ.get(variable):
            raise Misconfigured(f"setting {variable}: it is given, and {variable}_FILE too; leave one of them out")
        return (read_secret(f"{variable}_FILE", Path(path)) if path else None), field_name, False


def read_secret(variable: str, path: Path) -> str:
    """The secret in the file that `variable` names."""
    try:
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Misconfigured(f"setting {variable}: cannot read {path}: {reason}") from None
    if not secret:
        raise Misconfigured(f"setting {variable}: {path} is empty")
    return secret
