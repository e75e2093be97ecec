"""The session of the web app's browser, and what whoever signed in may do."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictStr

from narthex.contracts.api.base import Request, Response
from narthex.contracts.api.people import Password, UserDetail


class SessionCreate(Request):
    """Signs in with a token, or with e-mail address and password."""

    token: Annotated[StrictStr, Field(min_length=1, max_length=256)] | None = None
    email: Annotated[StrictStr, Field(min_length=1, max_length=254)] | None = None
    password: Password | None = None


class SessionDetail(Response):
    """Who has signed in, how, and until when."""

    user: UserDetail
    service_user: bool = False  # it may do nothing outside of its project
    by: str = "token"  # token | password | single sign-on
    cookie: bool = False  # a browser's session, not a credential that was sent along
    expires: datetime | None = None
    version: str = ""  # of the registry


class SingleSignOn(Response):
    name: str  # what the button says
    url: str  # where it leads; `to` in its query says where to come back to


class SessionOptions(Response):
    """How somebody can sign in here."""

    token: bool = True
    password: bool = True
    single_sign_on: SingleSignOn | None = None
    registration: bool = False  # anybody may make an account with `POST /user`
    version: str = ""
    domain: str = ""


class HeldOn(Response):
    """What is permitted on one thing of a project, besides what is permitted in all of it."""

    resource_type: str  # deployment | service
    resource: str  # its name
    permissions: list[str]


class HeldPermissions(Response):
    """What the caller may do in a project."""

    project: str
    everything: bool = False
    permissions: list[str]  # in the whole project
    on: list[HeldOn] = []
