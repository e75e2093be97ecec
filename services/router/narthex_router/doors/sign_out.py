"""Signing out: the session is ended at every router, not only forgotten by the browser that signs out.

A cookie is signed and stored nowhere, so what is kept is which of them were ended, until they would have been by
themselves. The key stands for a sign-in, not for a cookie: cookies that were made of one code end together, and there
are never more entries than people who have signed in at the registry within twelve hours. Pure; `crier` tells others.
"""

import hashlib

from narthex.contracts.passes import Pass
from narthex.routing.entry import Entry, Kind
from narthex_router.facts import SignOut

SESSION_S = 12 * 3600.0  # a working day, like sessions at the API
_CODE_S = 60  # after a sign-in its code is good for so long: the last cookie that is made of it ends so much later
MOST = 100_000  # ended sessions that are held: 20 MB


def ended_key(session: Pass) -> str:
    """What stands for the sign-in that a session came of."""
    said = f"{session.service_id}\0{session.subject_id}\0{session.token_id}\0{session.issued_ms}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def ended(session: Pass) -> Entry:
    """The end of a session, as all routers hear of it. The last cookie of a sign-in ends twelve hours and a code's
    minute after it."""
    return Entry(Kind.SIGN_OUT, ended_key(session), session.expires + _CODE_S, 0, b"{}")


def forget_ended(held: dict[str, SignOut], newest: int) -> None:
    """Forget what would be over by itself: whoever has a session until `newest` has signed in by now."""
    while held:
        first = next(iter(held))
        if len(held) <= MOST and held[first].at > newest - SESSION_S - _CODE_S:
            return
        del held[first]
