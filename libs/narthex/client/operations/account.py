"""Who asks: signing in and out, one's own account, one's own tokens."""

from datetime import datetime

from narthex.client.call import Call
from narthex.client.operations.bodies import made
from narthex.client.operations.paths import Nothing, flag, moment
from narthex.contracts.api import (
    HeldPermissions,
    SessionDetail,
    SessionOptions,
    SignedIn,
    SignIn,
    TokenCreate,
    TokenCreated,
    TokenDetail,
    UserDetail,
    UserUpdate,
)


def sign_in(email: str, password: str) -> Call[SignedIn]:
    """A session for twelve hours at most: `access` is used as a token. Needs none itself."""
    return Call("POST", ["authorize"], SignedIn, body=made(SignIn, email=email, password=password))


def sign_out() -> Call[None]:
    """End the session whose `access` is the client's token."""
    return Call("POST", ["oauth", "sign-out"], Nothing)


def get_session() -> Call[SessionDetail]:
    """Who the credential belongs to, what it is, and until when it is good."""
    return Call("GET", ["session"], SessionDetail)


def sign_in_options() -> Call[SessionOptions]:
    """How people can sign in; needs no token."""
    return Call("GET", ["session", "options"], SessionOptions)


def held_permissions(project: str) -> Call[HeldPermissions]:
    """What one may do oneself in a project, and on single things of it."""
    return Call("GET", ["session", "permissions"], HeldPermissions, query={"project": project})


def end_session(everywhere: bool = False) -> Call[None]:
    """End the session whose `access` is the client's token; or all one's sessions, of services' browsers too."""
    return Call("DELETE", ["session"], Nothing, query={"everywhere": flag(everywhere)})


def get_account() -> Call[UserDetail]:
    """Whom the token belongs to."""
    return Call("GET", ["user"], UserDetail)


def update_account(body: UserUpdate) -> Call[UserDetail]:
    """Change one's own name or password."""
    return Call("PATCH", ["user"], UserDetail, body=body)


def delete_account() -> Call[None]:
    """Delete one's own account."""
    return Call("DELETE", ["user"], Nothing)


def list_tokens() -> Call[list[TokenDetail]]:
    """One's own tokens, without their texts."""
    return Call("GET", ["user", "tokens"], list[TokenDetail])


def create_token(name: str = "", *, expires: datetime | None = None) -> Call[TokenCreated]:
    """A new token with all one's own permissions; its text is in this answer and nowhere else."""
    body = made(TokenCreate, name=name, expiry_date=moment(expires))
    return Call("POST", ["user", "tokens"], TokenCreated, body=body)


def delete_token(id: str) -> Call[None]:
    """Revoke one of one's own tokens: within a second no router takes it any more."""
    return Call("DELETE", ["user", "tokens", id], Nothing)
