"""Ways into a service besides tokens, and who is kept out: networks, origins, JSON Web Tokens, names, links."""

import re
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from narthex.contracts.api.base import Request, Response, one_of
from narthex.contracts.entities import CertificateName


def parse_network(text: str) -> str:
    """A network, or one address: `10.0.0.0/8`, `2001:db8::1`."""
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("must be networks like 10.0.0.0/8") from None


def parse_origin(text: str) -> str:
    """A web origin: `https://app.example.com`, with a port if it is not the usual one; or `*`."""
    if text != "*" and not re.fullmatch(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]{1,253})(:[0-9]{1,5})?", text):
        raise ValueError("must be an origin like https://app.example.com, in lower case and without a path, or *")
    return text


def parse_issuer_url(text: str) -> str:
    """Where an issuer of tokens is, or its keys are."""
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-:\[\]]{1,253}(/[!-~]*)?", text) or "#" in text or "@" in text:
        raise ValueError("must be an http or https URL without user, password and fragment")
    return text


def parse_header_name(text: str) -> str:
    if text != "*" and not re.fullmatch(r"[!#$%&'*+\-.^`|~0-9A-Za-z]{1,64}", text):
        raise ValueError("must be names of headers")
    return text


Networks = Annotated[list[Annotated[StrictStr, AfterValidator(parse_network)]], Field(max_length=100)]
HeaderNames = Annotated[list[Annotated[StrictStr, AfterValidator(parse_header_name)]], Field(max_length=50)]
Methods = Annotated[list[Annotated[StrictStr, Field(pattern="^[A-Z]{1,32}$")]], Field(min_length=1, max_length=20)]
ClaimName = Annotated[StrictStr, Field(pattern=r"^[!-~]{1,128}$")]
ClaimValues = Annotated[list[Annotated[StrictStr, Field(max_length=256)]], Field(min_length=1, max_length=100)]
IssuerUrl = Annotated[StrictStr, Field(max_length=1024), AfterValidator(parse_issuer_url)]


class CorsBody(Request):
    """Which pages of other origins may read a service's answers; routers answer preflights by it."""

    origins: Annotated[
        list[Annotated[StrictStr, AfterValidator(parse_origin)]],
        Field(min_length=1, max_length=50, description="like https://app.example.com, or * for every one"),
    ]
    methods: Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    headers: HeaderNames = Field(["*"], description="that a page may send; *: whatever it asks for")
    exposed: HeaderNames = Field([], description="of the answer, that a page may read besides the harmless ones")
    credentials: StrictBool = Field(False, description="a page may send cookies and read what comes back")
    max_age: Annotated[StrictInt, Field(ge=0, le=86_400)] = 600

    @model_validator(mode="after")
    def _no_credentials_for_everybody(self) -> "CorsBody":
        if self.credentials and "*" in self.origins:
            raise ValueError("credentials need origins by name: with * every site could act as whoever is signed in")
        return self


class RoleClaimBody(Request):
    """A role that whoever has one of these values in a claim comes with."""

    role: Annotated[StrictStr, Field(min_length=1, max_length=128)] = Field(
        description="a role of the project, by name"
    )
    claim: ClaimName = Field(description="or path.to.it")
    values: ClaimValues


class JwtBody(Request):
    """Whose JSON Web Tokens are a way in, and which of them."""

    issuer: IssuerUrl = Field(description="the claim iss, exactly; OpenID Connect discovery is below it")
    audience: Annotated[StrictStr, Field(min_length=1, max_length=256)] = Field(description="one of the claim aud")
    keys_url: IssuerUrl | None = Field(None, description="the JSON Web Key Set; without it by discovery")
    user_claim: ClaimName = Field("sub", description="what the caller is called, in logs and for limits")
    required_claims: Annotated[dict[ClaimName, ClaimValues], Field(max_length=20)] = Field(
        {}, description="claim, or path.to.it: one of these must be in it"
    )
    roles: Annotated[list[RoleClaimBody], Field(max_length=100)] = Field(
        [],
        description="what claims stand for: with any, a caller needs a role that permits to create requests, and the "
        "application is told all that they come with, in x-narthex-roles",
    )


class ClientCertificatesBody(Request):
    """Whose client certificates are a way in, and which of them."""

    authorities: Annotated[StrictStr, Field(min_length=1, max_length=65_536)] = Field(
        description="who has signed them: certificates of authorities, in PEM"
    )
    user: Annotated[StrictStr, AfterValidator(lambda name: one_of(name, CertificateName))] = Field(
        CertificateName.COMMON_NAME.value, description="what the caller is called: common_name, email, dns or uri"
    )
    names: Annotated[list[Annotated[StrictStr, Field(min_length=1, max_length=256)]], Field(max_length=1000)] = Field(
        [], description="who may come, by what they are called; none: everybody the authorities have signed for"
    )


class BasicUsersUpdate(Request):
    """All names that may come in by basic authentication, with their passwords. A null keeps the password that a name
    has; a new name gets one that is shown in the answer only."""

    users: Annotated[
        dict[
            Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9._@-]{1,64}$")],
            Annotated[StrictStr, Field(min_length=12, max_length=128)] | None,
        ],
        Field(max_length=20),
    ]


class BasicUser(Response):
    name: str
    password: str | None = Field(None, description="where it was made here, and only in that answer")


class ShareCreate(Request):
    """A link that lets in whoever has it, for a time."""

    expires_in: Annotated[StrictInt, Field(ge=60, le=30 * 86_400)] = Field(description="seconds")
    path: Annotated[StrictStr, Field(pattern=r"^/([^/\\]|$)", max_length=1024)] | None = Field(
        None, description="where it leads; without it to /"
    )


class ShareDetail(Response):
    """The link; it is kept nowhere."""

    id: str = Field(description="in the request log the user of whoever came by it is share-<id>")
    url: str
    expires: datetime
