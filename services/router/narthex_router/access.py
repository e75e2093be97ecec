"""Who calls, and whether they may. Pure: a header, a route and the callers that the table knows."""

from collections.abc import Callable

from narthex_router.table import Caller, Route


class Refusal(Exception):
    """The request may not pass: the code and a sentence for the caller."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def read_token(authorization: bytes) -> bytes:
    """The token in `Token <token>` or `Bearer <token>`; empty when the field has another form."""
    scheme, _, token = authorization.partition(b" ")
    return token.strip(b" ") if scheme.lower() in (b"token", b"bearer") else b""


def admit(
    route: Route, authorization: bytes | None, find: Callable[[bytes], Caller | None], now: float
) -> Caller | None:
    """The caller, None for a public service; raises Refusal. `now` is Unix time in seconds.

    `find` looks a token up by its digest, so its timing says nothing about how much of a token was right.
    """
    if not route.authentication_required:
        return None
    if authorization is None:
        raise Refusal("token_missing", "Send the header: Authorization: Token <token>")
    token = read_token(authorization)
    if not token or not route.token_enabled:
        raise Refusal("token_invalid", "Authorization must be: Token <token>, or Bearer <token>")
    caller = find(token)
    if caller is None:
        raise Refusal("token_invalid", "No such token, or it was revoked")
    if caller.expires_at <= now:
        raise Refusal("token_expired", "Ask for a new token")
    if not caller.may_call(route):
        raise Refusal("permission_denied", "The token's owner may not create requests on this deployment")
    return caller
