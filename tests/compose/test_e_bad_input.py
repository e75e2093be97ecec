"""What is wrong is said with the name of the setting; what may come right is waited for.

Of each kind one, in a container; tests/integration/test_bad_input.py has every part with everything that can be wrong.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from compose.stack import Stack, wait_until


@contextmanager
def one_alone(stack: Stack, part: str, *options: str) -> Iterator[Callable[[], str]]:
    """A part of its own beside the system, with something wrong about it; a function that reads what it says."""
    name = f"{stack.project}-alone"
    # The admin port of those in two networks has a name that only the service itself has.
    stack.compose("run", "--detach", "--no-deps", "--name", name, "--env", "NARTHEX_ADMIN_BIND=0.0.0.0", *options, part)
    try:
        yield lambda: _everything_said(stack, name)
    finally:
        stack.engine.call("rm", "--force", "--volumes", name)


def _everything_said(stack: Stack, name: str) -> str:
    health = stack.engine.call("inspect", "--format", "{{range .State.Health.Log}}{{.Output}}{{end}}", name)
    return stack.engine.call_both("logs", name) + health


def unready(stack: Stack) -> bool:
    state = stack.engine.call(
        "inspect", "--format", "{{.State.Running}} {{.State.Health.Status}}", f"{stack.project}-alone"
    )
    return state in ("true starting", "true unhealthy")


# What is wrong -> the part, its setting, and what it says.
BAD_SETTINGS = {
    "a secret that is missing": (
        *("audit", "NARTHEX_NATS_PASSWORD_FILE=/run/secrets/none"),
        "NARTHEX_NATS_PASSWORD_FILE: cannot read",
    ),
    "a sealing key that is none": (
        *("certs", "NARTHEX_SEALING_KEY_FILE=/run/secrets/nats"),
        "the sealing key",
    ),
}


@pytest.mark.parametrize(("part", "setting", "said"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_a_setting_that_cannot_be_right_ends_the_part_with_its_name(
    part: str, setting: str, said: str, stack: Stack
) -> None:
    with one_alone(stack, part, "--env", setting) as everything:
        wait_until(said, lambda: re.search(said, everything()) is not None, within_s=60)
        assert "Traceback" not in everything()


WAITED_FOR = {
    "a user that the database does not know": (
        *("registry", "NARTHEX_DATABASE_URL=postgresql://stranger@postgres/narthex"),
        "NARTHEX_DATABASE_URL.*stranger",
    ),
    "a bus that cannot be reached": (
        *("healthcheck", "NARTHEX_NATS_URL=nats://nowhere:4222"),
        "NARTHEX_NATS_URL=nats://nowhere:4222 is away",
    ),
    "a table that cannot be reached": (
        *("certs", "NARTHEX_REDIS_URL=redis://certs@nowhere:6379/0"),
        "NARTHEX_REDIS_URL",
    ),
}


@pytest.mark.parametrize(("part", "setting", "said"), WAITED_FOR.values(), ids=WAITED_FOR)
def test_what_may_come_right_is_waited_for(part: str, setting: str, said: str, stack: Stack) -> None:
    with one_alone(stack, part, "--env", setting) as everything:
        wait_until(said, lambda: re.search(said, everything()) is not None, within_s=60)
        assert unready(stack)
        assert "Traceback" not in everything()


def test_a_schema_of_a_newer_release_is_left_alone(stack: Stack) -> None:
    def sql(statement: str) -> str:
        return stack.compose(
            "exec", "--no-TTY", "postgres", "psql", "-U", "narthex", "-d", "narthex", "-At", "-c", statement
        )

    was = sql("select version_num from alembic_version")
    sql("update alembic_version set version_num = '9999'")
    try:
        with one_alone(stack, "registry") as everything:
            wait_until("it says so", lambda: "written by a newer release" in everything(), within_s=60)
    finally:
        sql(f"update alembic_version set version_num = '{was}'")


def test_a_part_that_waits_goes_on_when_what_it_waits_for_comes(stack: Stack) -> None:
    stack.compose("stop", "--timeout", "5", "postgres")
    try:
        with one_alone(stack, "registry") as everything:
            wait_until("it waits", lambda: "cannot start yet" in everything(), within_s=60)
            stack.compose("start", "postgres")
            wait_until("it goes on", lambda: '"started"' in everything(), within_s=90)
    finally:
        stack.compose("start", "postgres")
