"""The data directory of an installation: where each thing lies."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataDirectory:
    """The paths under `root`, which is absolute."""

    root: Path

    @property
    def sealing_key(self) -> Path:
        return self.root / "sealing.key"

    @property
    def credentials(self) -> Path:
        return self.root / "credentials.json"

    @property
    def admin_token(self) -> Path:
        return self.root / "admin.token"

    @property
    def root_certificate(self) -> Path:
        return self.root / "ca" / "root.pem"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def home(self, part: str) -> Path:
        """Where a part keeps its own files."""
        return self.root / part
