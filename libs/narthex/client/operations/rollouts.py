"""Rollouts: a service goes over from one version to another in steps."""

from narthex.client.call import Call, Wait
from narthex.client.operations.bodies import made
from narthex.client.operations.paths import of_service, switching
from narthex.contracts.api import RolloutCreate, RolloutDetail, RolloutState, RolloutUpdate

_OVER = (RolloutState.PROMOTED, RolloutState.ROLLED_BACK)


def list_rollouts(service: str, *, project: str | None = None) -> Call[list[RolloutDetail]]:
    """The rollouts of a service, newest first."""
    return Call("GET", of_service(project, service, "rollouts"), list[RolloutDetail])


def get_rollout(service: str, id: str, *, project: str | None = None) -> Call[RolloutDetail]:
    """One rollout: where it is, and what routers saw of both versions."""
    return Call("GET", of_service(project, service, "rollouts", id), RolloutDetail)


def create_rollout(
    service: str,
    body: RolloutCreate,
    *,
    wait_s: float = 0.0,
    force: bool = False,
    project: str | None = None,
) -> Call[RolloutDetail]:
    """Begin to go over to another version; `wait_s` waits for a healthy instance of it, `force` goes on without."""
    path, query = of_service(project, service, "rollouts"), switching(wait_s, force)
    return Call("POST", path, RolloutDetail, query=query, body=body, waits_s=wait_s)


def stop_rollout(service: str, id: str, *, project: str | None = None) -> Call[RolloutDetail]:
    """Let it stay at its step; its gates go on."""
    return _put(service, id, made(RolloutUpdate, state=RolloutState.STOPPED), project)


def resume_rollout(
    service: str, id: str, *, step: int | None = None, project: str | None = None
) -> Call[RolloutDetail]:
    """Go on, at another step if one is given."""
    return _put(service, id, made(RolloutUpdate, state=RolloutState.RUNNING, step=step), project)


def go_back_rollout(service: str, id: str, *, project: str | None = None) -> Call[RolloutDetail]:
    """Let the old version have all requests again: the end of the rollout."""
    return _put(service, id, made(RolloutUpdate, state=RolloutState.ROLLED_BACK), project)


def promote_rollout(service: str, id: str, *, force: bool = False, project: str | None = None) -> Call[RolloutDetail]:
    """Give the service to the new version now: the end of the rollout."""
    return _put(service, id, made(RolloutUpdate, state=RolloutState.PROMOTED), project, force)


def wait_until_rollout_over(
    service: str, id: str, *, timeout: float = 3600.0, project: str | None = None
) -> Wait[RolloutDetail]:
    """Return when a rollout has ended, one way or the other."""

    def at(last: RolloutDetail | None) -> str:
        where = f"at step {last.step}, waiting for {last.waiting_for}" if last is not None else "not seen"
        return f"the rollout of service {service!r} has not ended: {where}"

    return Wait(get_rollout(service, id, project=project), lambda rollout: rollout.state in _OVER, timeout, at)


def _put(service: str, id: str, body: RolloutUpdate, project: str | None, force: bool = False) -> Call[RolloutDetail]:
    path = of_service(project, service, "rollouts", id)
    return Call("PATCH", path, RolloutDetail, query=switching(0.0, force), body=body)
