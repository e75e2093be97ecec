"""Where a cluster's API server is, and who we are to it: inside of a pod, or by a kubeconfig.

Tokens and authorities are rotated: both files are read again when they are used.
"""

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from narthex_registry.discovery.found import Away

IN_CLUSTER = "in-cluster"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Cluster:
    """An API server and our credentials."""

    server: str  # its URL
    ca: Path | bytes | None = None  # None: the authorities that the machine trusts
    token: Path | str = ""
    certificate: Path | bytes | None = None  # of a client, with its key
    key: Path | bytes | None = None
    insecure: bool = False

    def headers(self) -> dict[str, str]:
        try:
            token = self.token.read_text().strip() if isinstance(self.token, Path) else self.token
        except OSError as error:
            raise Away(f"the token cannot be read: {error}") from None
        return {"Authorization": f"Bearer {token}"} if token else {}

    def tls(self) -> ssl.SSLContext:
        """A context for the next connection."""
        try:
            context = ssl.create_default_context(cadata=_content(self.ca).decode() if self.ca is not None else None)
            if self.certificate is not None and self.key is not None:
                _load_pair(context, _content(self.certificate) + b"\n" + _content(self.key))
        except (OSError, ValueError) as error:
            raise Away(f"the cluster's certificates cannot be used: {error}") from None
        if self.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def open_cluster(config: str, context: str, environment: Mapping[str, str] = os.environ) -> Cluster:
    """The cluster that the settings name. Raises Away."""
    return _in_cluster(environment) if config == IN_CLUSTER else read_kubeconfig(Path(config), context)


def read_kubeconfig(path: Path, context: str) -> Cluster:
    """One context of a kubeconfig. Raises Away."""
    try:
        document = yaml.safe_load(path.read_bytes())
        name = context or document["current-context"]
        chosen = _named(document, "contexts", "context", name)
        cluster = _named(document, "clusters", "cluster", chosen["cluster"])
        user = _named(document, "users", "user", chosen["user"]) if chosen.get("user") else {}
        if "exec" in user or "auth-provider" in user:
            raise Away(f"{path}: user {chosen['user']} gets its credentials from a program, which is not supported")
        home = path.parent
        token = home / user["tokenFile"] if user.get("tokenFile") else user.get("token", "")
        return Cluster(
            server=cluster["server"],
            ca=_file_or_data(cluster, "certificate-authority", home),
            token=token,
            certificate=_file_or_data(user, "client-certificate", home),
            key=_file_or_data(user, "client-key", home),
            insecure=bool(cluster.get("insecure-skip-tls-verify", False)),
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise Away(f"{path} cannot be used: {str(error) or type(error).__name__}") from None


def _in_cluster(environment: Mapping[str, str]) -> Cluster:
    host, port = environment.get("KUBERNETES_SERVICE_HOST", ""), environment.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise Away("this process is in no pod: KUBERNETES_SERVICE_HOST is not set")
    return Cluster(
        f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}", ACCOUNT / "ca.crt", ACCOUNT / "token"
    )


def _named(document: dict[str, Any], kind: str, inner: str, name: str) -> dict[str, Any]:
    for each in document[kind]:
        if each["name"] == name:
            found: dict[str, Any] = each[inner]
            return found
    raise KeyError(f"{kind} has no {name}")


def _file_or_data(values: dict[str, Any], name: str, home: Path) -> Path | bytes | None:
    if values.get(f"{name}-data"):
        return base64.b64decode(values[f"{name}-data"], validate=True)
    return home / values[name] if values.get(name) else None


def _content(where: Path | bytes) -> bytes:
    return where.read_bytes() if isinstance(where, Path) else where


def _load_pair(context: ssl.SSLContext, pem: bytes) -> None:
    """OpenSSL takes a client's certificate from a file only."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
