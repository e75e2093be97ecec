"""The requests that others wrote to break servers, through the router to a strict origin."""

import re

from attacks.harness import Outcome, firing_range
from attacks.opinions import disagreements
from attacks.vectors import Vector, here, load

pytestmark = here

# Of gunicorn's valid requests: what HTTP/1.1 does not call valid, or lets a server refuse.
NOT_FOR_US = {
    r"/compat_obs_fold": "a folded line: RFC 9112 section 5.2 has a server refuse it or repair it, and we never repair",
    r"/pp_0[1245]": "begins with the PROXY protocol: that is not HTTP, and only a configured load balancer may say it",
    r"/005": "a fragment in the request target",
    r"/(009|029|rfc9112_smuggle_te_identity)": "the transfer coding `identity`, which RFC 7230 took out in 2014",
    r"/(025|rfc9112_smuggle_gzip)": "the transfer coding gzip, to be answered 501 by who cannot (RFC 9112 6.1)",
    r"/027": "bytes above 127 in the request target",
    r"/target_absolute_userinfo|_userinfo_": "a password in the request target: an error by RFC 9110 4.2.4",
    r"/rfc9112_target_authority": "CONNECT: we are no forward proxy and answer 405",
}


def is_for_us(vector: Vector) -> bool:
    message = vector.messages[0]
    head = message.partition(b"\r\n\r\n")[0]
    hostless = b" HTTP/1.1" in head.partition(b"\r\n")[0] and re.search(rb"(?i)\nhost:", head) is None
    return not hostless and not any(re.search(pattern, vector.name) for pattern in NOT_FOR_US)


def must_be_refused(vector: Vector) -> bool:
    """Whether a strict server has no choice: 4xx, 5xx, closing, or waiting for what does not come."""
    return (
        re.fullmatch(r"(?:`[45]\d\d`|close|connection close|timeout|or|, or|[/,() ]|\(pass\))+", vector.expected)
        is not None
    )


# What a server refuses and a router passes on, since the instance is the server.
THE_INSTANCES_AFFAIR = {
    "COMP-UNKNOWN-METHOD": "any token may be a method",
}


async def shoot_all(suite: str) -> tuple[dict[str, Outcome], list[str]]:
    outcomes, breaches = {}, []
    async with firing_range() as range_:
        for vector in load(suite):
            outcome = outcomes[vector.name] = await range_.shoot(*vector.messages)
            found = outcome.breaches + disagreements(b"".join(vector.messages), outcome.requests)
            breaches += [f"{vector.name}: {breach}" for breach in found]
    return outcomes, breaches


async def test_none_of_gunicorns_requests_breaks_an_invariant_and_the_valid_ones_are_accepted() -> None:
    outcomes, breaches = await shoot_all("gunicorn")

    assert breaches == []
    valid = [vector for vector in load("gunicorn") if "/valid/" in vector.name and is_for_us(vector)]
    refused = [vector.name for vector in valid if not outcomes[vector.name].accepted]
    print(f"gunicorn: {len(valid) - len(refused)} of {len(valid)} valid ones accepted; not: {refused}")
    assert len(refused) <= 0.05 * len(valid), refused
    # A host with `=` in it is a name by RFC 3986, and none that a certificate can hold.
    assert refused == ["gunicorn/valid/003"]


async def test_what_gunicorn_calls_invalid_is_refused_unless_it_is_its_own_limit_or_option() -> None:
    outcomes, _ = await shoot_all("gunicorn")

    accepted = [name for name, outcome in outcomes.items() if "/invalid/" in name and outcome.answered_well]
    print(f"gunicorn: {sum('/invalid/' in name for name in outcomes) - len(accepted)} invalid ones refused")
    # 003c: a method of two letters; 006-010, 017, limit_…: limits below ours; 019: fields that we drop and set.
    allowed = re.compile(r"gunicorn/invalid/(003c|006|007|008|010|017|019|limit_header_default_01)(\+host)?")
    assert [name for name in accepted if not allowed.fullmatch(name)] == []


async def test_none_of_http11probes_cases_breaks_an_invariant_and_what_must_be_refused_is() -> None:
    outcomes, breaches = await shoot_all("http11probe")

    assert breaches == []
    refusable = [vector.name for vector in load("http11probe") if must_be_refused(vector)]
    served = [name for name in refusable if outcomes[name].served]
    print(f"http11probe: {len(refusable) - len(served)} of {len(refusable)} refused; not: {served}")
    assert len(refusable) >= 85
    assert sorted(served) == sorted(THE_INSTANCES_AFFAIR)


async def test_what_http11probe_wants_served_is_served() -> None:
    outcomes, _ = await shoot_all("http11probe")

    wanted = [vector.name for vector in load("http11probe") if vector.expected.startswith("`2xx`")]
    assert [name for name in wanted if not outcomes[name].served] == []
