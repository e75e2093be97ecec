"""Who asks: signing in and out, one's own account, one's own tokens."""

from datetime import datetime

from narthex.client.call import Call
from narthex.client.operations.bodies import made
from narthex.client.operations.paths import Nothing, moment
from narthex.contracts.api import SignedIn, SignIn, TokenCreate, TokenCreated, TokenDetail, UserDetail, UserUpdate


def sign_in(email: str, password: str) -> Call[SignedIn]:
    """A session for twelve hours at most: `access` is used as a token. Needs none itself."""
    return Call("POST", ["authorize"], SignedIn, body=made(SignIn, email=email, password=password))


def sign_out() -> Call[None]:
    """End the session whose `access` is the client's token."""
    return Call("POST", ["oauth", "sign-out"], Nothing)


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
