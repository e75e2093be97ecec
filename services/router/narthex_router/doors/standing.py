"""Whether a request that is under way may go on after access or its service has changed. Pure.

It is admitted once more as if it came when it did: what was taken back since ends it (a token, a role, a session, a
share link, an address, the whole project), what has merely expired since does not, for that was known when it began.
"""

from narthex_router.access import Callers, Knock, Porter, admit
from narthex_router.doors.question import Question, Refusal, Unsettled
from narthex_router.route import Caller, Route

# Nobody knows just now; and where there is a service no more, there are soon no instances either.
_GO_ON = frozenset(("access_unknown", "misdirected"))


class _AsItBegan:
    """A porter who lets time stand still for those who were in."""

    def __init__(self, porter: Porter, now: float) -> None:
        self._porter = porter
        self._now = now
        self.pass_key = porter.pass_key

    def settled(self, question: Question, now: float) -> Caller | Refusal | None:
        found = self._porter.settled(question, now)
        return self._porter.settled(question, self._now) if isinstance(found, Refusal) else found


def taken_back(
    route: Route, knock: Knock, callers: Callers, porter: Porter, began: float, now: float
) -> Refusal | Question | None:
    """Why a request that began then may not go on, or what has to be asked to know; times are Unix seconds."""
    try:
        admit(route, knock, callers, _AsItBegan(porter, now), began)
    except Unsettled as unsettled:
        return unsettled.question
    except Refusal as refusal:
        return None if refusal.code in _GO_ON else refusal
    return None
