"""The registry's settings; the table in README.md lists them."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from narthex.bus import BusSettings
from narthex.contracts.errors import Misconfigured
from narthex.runtime.settings import InstanceSettings, Port, ProcessSettings, SealingSettings, SecretSettings, group
from narthex_registry.discovery.settings import DiscoveryConfig
from narthex_registry.sources import parse_networks


class ApiSettings(BaseSettings):
    """Where the REST API listens and what it allows."""

    model_config = group("NARTHEX_API_")

    bind: str = "127.0.0.1"  # administration is for whoever puts a proxy with TLS in front
    port: Port = 8000
    allow_public: bool = False  # services without authentication may exist
    public_https_port: Port = 443  # the port that clients of services use; shown in `endpoint`
    # Of one token, or of one source without one: 500 a second, what the API is built for on one core.
    requests_per_minute: int = Field(30_000, gt=0)
    trusted_proxies: str = ""  # networks whose X-Forwarded-For is believed, e.g. `10.0.0.0/8, ::1`
    web_dir: str = ""  # another build of the web app than the one that belongs to this package

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        parse_networks(text)
        return text


class SignInSettings(BaseSettings):
    """Who may sign in with a password, and how often it may be tried."""

    model_config = group("NARTHEX_SIGN_IN_")

    registration: bool = False  # anybody may make an account for themselves; else administrators do
    window_s: float = 300.0  # in which attempts are counted
    attempts_per_account: int = 10  # enough for somebody who is not sure; 1,000 guesses take eight hours
    attempts_per_source: int = 100  # an office behind one address


class SingleSignOnSettings(SecretSettings):
    """An issuer of OpenID Connect that people sign in to the web app with."""

    model_config = group("NARTHEX_SINGLE_SIGN_ON_")

    issuer: str = ""  # its URL, exactly as it calls itself; empty: there is no single sign-on
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")  # empty: a public client, which PKCE alone protects
    name: str = "Single sign-on"  # on the button
    scopes: str = "openid email profile"
    create_people: bool = False  # whoever the issuer knows gets an account, which may do nothing yet
    app_url: str = ""  # of the web app, as browsers call it; empty: as they called it

    @model_validator(mode="after")
    def _whole(self) -> "SingleSignOnSettings":
        if self.issuer and not self.client_id:
            raise ValueError("NARTHEX_SINGLE_SIGN_ON_CLIENT_ID must be given with NARTHEX_SINGLE_SIGN_ON_ISSUER")
        return self


class DatabaseSettings(SecretSettings):
    """Where the truth is kept."""

    model_config = group("NARTHEX_DATABASE_")

    url: SecretStr = SecretStr("")  # empty: SQLite under the data directory; secret: it may carry a password
    password: SecretStr = SecretStr("")  # instead of one in the URL

    def resolve(self, home: Path) -> URL:
        """The database to use, for a registry whose own files are in `home`."""
        text = self.url.get_secret_value()
        if not text:
            return URL.create("sqlite", database=str(home / "registry.db"))
        try:
            return make_url(text).set(password=self.password.get_secret_value() or None)
        except (ArgumentError, ValueError):  # of a port that is none, too
            raise Misconfigured(
                "setting NARTHEX_DATABASE_URL: must be like postgresql://user:password@host:5432/database"
            ) from None


class RegistrySettings(BaseSettings):
    """How long things take and are kept."""

    model_config = group("NARTHEX_REGISTRY_")

    drain_s: float = 30.0  # from "no new requests" to removed, unless all routers have let go of it before
    outbox_keep_s: float = 3600.0  # published facts stay this long, for a look at what was said
    relay_poll_s: float = 1.0  # a commit of this process wakes the relay at once; this is for other processes'
    worker_silence_s: float = 30.0  # routers tell every 5 s; one that is silent for longer is gone
    events_keep_s: float = 30 * 86_400.0  # lines about things of projects
    audit_keep_s: float = 400 * 86_400.0  # who changed what: over a year, so that last year can be compared
    stream_queue: int = 1000  # events an API client may be behind before it is disconnected


class DomainSettings(BaseSettings):
    """Where it is looked up whether a domain is somebody's."""

    model_config = group("NARTHEX_REGISTRY_DOMAINS_")

    dns_server: str = ""  # an IP address; empty: the system's resolvers
    dns_port: int = 53
    http_port: int = 80  # where a domain's present server is asked for the proof
    timeout_s: float = Field(5.0, gt=0)


class WebhookSettings(BaseSettings):
    """What webhooks may do."""

    model_config = group("NARTHEX_WEBHOOKS_")

    # Networks that are not on the Internet and may be called all the same, e.g. `10.0.0.0/8, ::1/128`.
    allow_networks: str = ""
    keep_s: float = 30 * 86_400.0  # calls that are over stay this long


@dataclass(frozen=True)
class Config:
    """Everything the registry is told by its environment."""

    process: ProcessSettings = field(default_factory=ProcessSettings)
    sealing: SealingSettings = field(default_factory=SealingSettings)
    bus: BusSettings = field(default_factory=BusSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    single_sign_on: SingleSignOnSettings = field(default_factory=SingleSignOnSettings)
    registry: RegistrySettings = field(default_factory=RegistrySettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    domains: DomainSettings = field(default_factory=DomainSettings)
    instances: InstanceSettings = field(default_factory=InstanceSettings)
    discovery: DiscoveryConfig = field(default_factory=DiscoveryConfig)
