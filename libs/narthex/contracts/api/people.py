"""People: signing in, accounts, tokens."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from narthex.contracts.api.base import Request, RequestMoment, Response
from narthex.contracts.names import EmailAddress

PersonName = Annotated[StrictStr, Field(min_length=1, max_length=256)]
NewPassword = Annotated[StrictStr, Field(min_length=8, max_length=128)]
Password = Annotated[StrictStr, Field(min_length=1, max_length=1024)]


class SignInStart(Request):
    """Asks how somebody signs in: the same for everybody. A password that is sent along is not looked at."""

    email: Annotated[StrictStr, Field(max_length=254)]
    password: Password | None = None


class SignInProvider(Response):
    """`ubiops` is the name for an e-mail address and a password."""

    provider: str = "ubiops"
    url: str = ""


class SignIn(Request):
    email: Annotated[StrictStr, Field(max_length=254)]
    password: Password
    token: Annotated[StrictStr, Field(max_length=64)] | None = None  # of a second factor; there is none here


class SignedIn(Response):
    """`access` is sent as `Authorization: Bearer <access>`."""

    access: str


class OAuthCode(Request):
    code: StrictStr
    provider: StrictStr


class UserCreate(Request):
    email: EmailAddress
    password: NewPassword
    name: PersonName | None = None
    surname: PersonName | None = None


class UserUpdate(Request):
    """What people change about themselves. Who has a password already gives it along with a new one."""

    name: PersonName | None = None
    surname: PersonName | None = None
    password: NewPassword | None = None
    current_password: Password | None = None


class PersonUpdate(Request):
    """What an administrator changes about somebody. A null password: signing in with one ends."""

    name: PersonName | None = None
    surname: PersonName | None = None
    password: NewPassword | None = None
    administrator: StrictBool | None = None


class UserPendingDetail(Response):
    id: str
    email: str
    name: str | None = None
    surname: str | None = None


class UserDetail(Response):
    id: str
    email: str
    name: str | None = None
    surname: str | None = None
    registration_date: datetime
    authentication: str = "token"  # or `ubiops`: with e-mail address and password
    administrator: bool = False


class TokenCreate(Request):
    name: Annotated[StrictStr, Field(max_length=64)] = ""
    expiry_date: RequestMoment | None = None


class TokenDetail(Response):
    """A token without its text, which is shown once and kept nowhere."""

    id: str
    name: str = ""
    creation_date: datetime
    expiry_date: datetime | None = None
    token_last_used: datetime | None = None


class TokenCreated(TokenDetail):
    token: str
