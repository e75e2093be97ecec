"""The CA's objects, as far as they are read (RFC 8555 section 7.1). Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Status(StrEnum):
    """Of an order, an authorization or a challenge."""

    PENDING = "pending"
    READY = "ready"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"
    DEACTIVATED = "deactivated"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Meta(Message):
    external_account_required: bool = Field(False, alias="externalAccountRequired")
    profiles: dict[str, str] = {}


class Directory(Message):
    """Where the CA's resources are (section 7.1.1)."""

    new_nonce: str = Field(alias="newNonce")
    new_account: str = Field(alias="newAccount")
    new_order: str = Field(alias="newOrder")
    revoke: str = Field("", alias="revokeCert")
    key_change: str = Field("", alias="keyChange")
    renewal_info: str = Field("", alias="renewalInfo")  # RFC 9773
    meta: Meta = Meta()


class Account(Message):
    status: str
    orders: str = ""  # where its orders are listed; many CAs have no such list


class Identifier(Message):
    type: str = "dns"
    value: str


class Challenge(Message):
    type: str
    url: str
    status: Status = Status.PENDING
    token: str = ""
    error: dict[str, Any] | None = None


class Authorization(Message):
    """What the CA wants to see for one name."""

    identifier: Identifier
    status: Status
    challenges: tuple[Challenge, ...] = ()
    wildcard: bool = False


class Order(Message):
    status: Status
    identifiers: tuple[Identifier, ...] = ()
    authorizations: tuple[str, ...] = ()
    finalize: str = ""
    certificate: str = ""
    error: dict[str, Any] | None = None
    retry_after_s: float = 0.0  # from the answer's header


class OrderList(Message):
    orders: tuple[str, ...] = ()


class Window(Message):
    start: datetime
    end: datetime


class RenewalInfo(Message):
    """When the CA would like a certificate to be renewed (RFC 9773 section 4.2)."""

    window: Window = Field(alias="suggestedWindow")
    explanation: str = Field("", alias="explanationURL")
    retry_after_s: float = 0.0
