"""The settings of certs."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from narthex.bus import BusSettings
from narthex.contracts.errors import Misconfigured
from narthex.runtime.settings import ProcessSettings, SealingSettings, TableSettings, group

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
LETS_ENCRYPT_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"


class IssuerKind(StrEnum):
    """Who issues the certificates of the services' own hosts."""

    INTERNAL = "internal"
    ACME = "acme"


class Cover(StrEnum):
    """What one of them covers."""

    WILDCARD = "wildcard"  # all services, from their first moment; needs dns-01
    SERVICE = "service"


class IssuingSettings(BaseSettings):
    """Who issues, how long certificates live and how often they are looked after."""

    model_config = group("NARTHEX_CERTS_")

    issuer: IssuerKind = IssuerKind.INTERNAL
    internal_meanwhile: bool = False  # serve the internal wildcard until the CA has issued; clients must trust it
    leaf_days: float = Field(7.0, gt=0, le=90)  # short: nobody need be told when a key is thrown away
    check_interval_s: float = Field(600.0, gt=0)  # a tenth more or less; renewal has a third of the life to succeed
    table_interval_s: float = Field(3.0, gt=0)  # an emptied Valkey has the certificate again after this
    lease_s: float = Field(6.0, gt=0.3, le=60)  # another worker goes on where this one died after so long


class AcmeSettings(BaseSettings):
    """The CA, the account there, and what it is asked for."""

    model_config = group("NARTHEX_CERTS_ACME_")

    directory: str = ""  # empty: Let's Encrypt
    staging: bool = False  # order everything from the staging directory: not trusted, and no limits that hurt
    staging_directory: str = LETS_ENCRYPT_STAGING  # also where `narthex certs rehearse` orders
    ca_file: Path | None = None  # to trust the directory's server by, where it is a private CA
    contact: str = ""  # an e-mail address for the CA
    eab_key_id: str = ""  # an external account, for CAs that want to know who pays
    eab_mac_key_file: Path | None = None  # its MAC key in base64url
    challenge: str = Field("http-01", pattern="^(http-01|tls-alpn-01|dns-01)$")
    cover: Cover | None = None  # wildcard with dns-01, else service
    profile: str = ""  # one that the CA offers, e.g. shortlived
    preferred_chain: str = ""  # common name of the root that the chain should end at, where the CA offers several
    revoke_deleted: bool = False  # revoke when a service is deleted; its key is thrown away in any case
    parallel: int = Field(20, ge=1, le=200)  # orders under way at a time
    retry_s: float = Field(60.0, gt=0)  # after a failure; twice as long after each further one, up to a day
    limit_domain_week: int = Field(45, ge=1)  # new certificates for one registered domain: 50 at Let's Encrypt
    limit_account_three_hours: int = Field(270, ge=1)  # orders: 300
    limit_same_week: int = Field(4, ge=1)  # certificates for the very same names: 5
    limit_failures_hour: int = Field(4, ge=1)  # failed orders for one name: 5

    @property
    def directory_url(self) -> str:
        return self.staging_directory if self.staging else self.directory or LETS_ENCRYPT

    @property
    def covers(self) -> Cover:
        return self.cover or (Cover.WILDCARD if self.challenge == "dns-01" else Cover.SERVICE)


class DnsSettings(BaseSettings):
    """How TXT records are written for dns-01."""

    model_config = group("NARTHEX_CERTS_DNS_")

    provider: str = ""  # rfc2136 | hook | cloudflare
    zone: str = ""  # the zone that the records are in
    settle_s: float = Field(30.0, ge=0)  # until every name server of the zone has them
    timeout_s: float = Field(30.0, gt=0)  # for one change
    server: str = ""  # rfc2136: the zone's primary
    port: int = Field(53, ge=1, le=65535)
    tsig_name: str = ""
    tsig_secret_file: Path | None = None  # in base64, as tsig-keygen writes it
    tsig_algorithm: str = "hmac-sha256"
    hook: str = ""  # hook: run as `<command> add|remove <name> <value>`
    token_file: Path | None = None  # cloudflare: an API token that may edit the zone
    api: str = "https://api.cloudflare.com/client/v4"


class Config:
    """All groups of this service, read from the environment."""

    def __init__(self) -> None:
        self.process = ProcessSettings()
        self.bus = BusSettings()
        self.table = TableSettings()
        self.sealing = SealingSettings()
        self.issuing = IssuingSettings()
        self.acme = AcmeSettings()
        self.dns = DnsSettings()
        check(self.issuing, self.acme)

    @property
    def uses_acme(self) -> bool:
        """Whether anything is ordered: the services' certificates, or those of domains of their owners' own."""
        return self.issuing.issuer is IssuerKind.ACME or bool(self.acme.directory)


def check(issuing: IssuingSettings, acme: AcmeSettings) -> None:
    """Raise Misconfigured for settings that do not go together."""
    if acme.covers is Cover.WILDCARD and acme.challenge != "dns-01" and issuing.issuer is IssuerKind.ACME:
        raise Misconfigured("NARTHEX_CERTS_ACME_COVER=wildcard needs NARTHEX_CERTS_ACME_CHALLENGE=dns-01 (RFC 8555)")
    for name, url in (("DIRECTORY", acme.directory_url), ("STAGING_DIRECTORY", acme.staging_directory)):
        if not url.startswith("https://"):
            raise Misconfigured(f"NARTHEX_CERTS_ACME_{name} must be an https URL: ACME is spoken over nothing else")


def read_secret(file: Path | None, variable: str) -> str:
    """A secret from the file that a setting names."""
    if file is None:
        raise Misconfigured(f"{variable} is needed")
    try:
        return file.read_text().strip()
    except OSError as error:
        raise Misconfigured(f"{variable}: {error}") from None
