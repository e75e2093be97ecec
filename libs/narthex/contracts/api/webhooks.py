"""Webhooks and their calls."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StrictStr

from narthex.contracts.api.base import Description, Labels, Request, Response
from narthex.contracts.names import Name

WebhookUrl = Annotated[StrictStr, Field(min_length=1, max_length=2048)]
WebhookTimeout = Annotated[StrictInt, Field(ge=1, le=30)]  # seconds


class WebhookHeader(Request):
    """A header of the calls; the value of a protected one is never shown again."""

    key: Annotated[StrictStr, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")]
    value: Annotated[StrictStr, Field(pattern=r"^[\x20-\x7e]{0,1024}$")]
    protected: StrictBool = False


class WebhookHeaderShown(Response):
    key: str
    value: str
    protected: bool


class WebhookUpdate(Request):
    name: Name | None = None
    url: WebhookUrl | None = None
    headers: Annotated[list[WebhookHeader], Field(max_length=20)] | None = None
    event: StrictStr | None = None
    description: Description | None = None
    labels: Labels | None = None
    timeout: WebhookTimeout | None = None
    enabled: StrictBool | None = None
    retry: StrictBool | None = None
    include_result: StrictBool | None = None


class WebhookCreate(WebhookUpdate):
    """`object_name` may be `*`: everything of that type in the project."""

    name: Name
    object_type: Annotated[StrictStr, Field(pattern="^(deployment|service)$")]
    object_name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    version: StrictStr | None = None
    url: WebhookUrl
    event: StrictStr


class WebhookDetail(Response):
    id: str
    name: str
    object_type: str
    object_name: str
    version: str | None = None
    url: str
    headers: list[WebhookHeaderShown] = []
    event: str
    creation_date: datetime
    last_updated: datetime
    description: str = ""
    labels: dict[str, str] = {}
    timeout: int = 10
    enabled: bool = True
    retry: bool = False
    include_result: bool = False
    signing_secret: str | None = Field(None, description="of Standard Webhooks; only in the answer that makes it")


class WebhookCall(Response):
    """A call that is to be made or was made."""

    id: str
    created: datetime
    event: str
    attempts: int
    next_attempt: datetime | None = None
    status: str = Field(description="pending, success or failed")
    response_status: int | None = None
    error: str = ""


class WebhookTestCreate(Request):
    object_type: Annotated[StrictStr, Field(pattern="^(deployment|service)$")]
    object_name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    version: StrictStr | None = None
    url: WebhookUrl
    headers: Annotated[list[WebhookHeader], Field(max_length=20)] | None = None
    event: StrictStr
    timeout: WebhookTimeout | None = None
    retry: StrictBool | None = None
    include_result: StrictBool | None = None


class WebhookTest(Response):
    id: str
    status: str
    error_message: str | None = None


class WebhookTestBody(Response):
    type: str
    timestamp: datetime
    test: bool = True
