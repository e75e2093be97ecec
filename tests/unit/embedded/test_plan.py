"""A plan survives being handed to another process."""

from narthex.runtime.supervisor.plan import Plan, Probe, Spec, decode, encode


def test_a_plan_comes_out_as_it_went_in() -> None:
    server = Spec("nats", ("nats-server", "-c", "x"), {"PATH": "/bin"}, 4222, Probe.NATS, "/data/nats")
    service = Spec("certs", ("python",), {"A": "b\n'\""}, 9000)
    plan = Plan((server,), (service,), ("certs", "nats"), "/data", {"api": "http://x"}, "ready\n", {"/p": "{}"})

    assert decode(encode(plan)) == plan


def test_only_services_have_an_admin_port() -> None:
    assert Spec("certs", (), {}, 9000).admin_port == 9000
    assert Spec("nats", (), {}, 4222, Probe.NATS).admin_port is None
