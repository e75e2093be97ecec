"""Small requests on kept-alive connections: what each costs, and how much later it is answered."""

from bench import h2load, machine
from bench.bench import Bench
from bench.proxies import Proxy
from bench.report import Measure, Row, Verdict

RATE = 2500  # a second; about half of what the router can do on one core
SATURATE_S = 3
SPREAD = 16  # generators for latency: 64 requests at the same moment would measure the queue they make


def plain(bench: Bench) -> Row:
    """Plain HTTP, with token check and request record on."""
    return _cost(
        bench, "Plain HTTP, kept alive", False, ("nginx", "haproxy", "envoy", "caddy"),
        {"nginx": 1.5, "envoy": 0.6, "caddy": 0.4},
    )  # fmt: skip


def tls(bench: Bench) -> Row:
    """The same over TLS."""
    return _cost(bench, "HTTPS, kept alive", True, ("nginx", "haproxy", "envoy", "caddy"), {"nginx": 1.8, "caddy": 0.6})


def latency(bench: Bench) -> Row:
    """How much later the slowest hundredth is answered than by the instance itself, at half of full load."""
    full = h2load.offer(bench.narthex, secure=False, seconds=SATURATE_S).rate
    rate = round(full / 2)
    direct, others = bench.backend, [bench.narthex, *bench.peers("nginx", "haproxy")]
    p50, p99 = Measure("added latency, median", "us"), Measure("added latency, 99th percentile", "us")
    with machine.giving_way(bench.installation.others()):
        for _ in range(bench.rounds):
            base = h2load.offer(direct, secure=False, seconds=bench.seconds, rate=rate, spread=SPREAD)
            for proxy in others:
                load = h2load.offer(proxy, secure=False, seconds=bench.seconds, rate=rate, spread=SPREAD)
                p50.add(proxy.name, load.p50_us - base.p50_us)
                p99.add(proxy.name, load.p99_us - base.p99_us)
    found = (p99.median("narthex") - p99.median("nginx")) / 1000 if "nginx" in p99.values else None
    verdict = Verdict("added p99 over nginx's", found, 0.5, "ms")
    return Row("Added latency at half load", [p50, p99], [verdict], [f"{rate} requests/s; full load is {full:.0f}"])


def _cost(bench: Bench, title: str, secure: bool, peers: tuple[str, ...], targets: dict[str, float]) -> Row:
    proxies = [bench.narthex, *bench.peers(*peers)]
    cpu = Measure("CPU per request", "us")
    rate, p50, p99 = Measure("answered", "requests/s"), Measure("latency, median", "us"), Measure("latency, p99", "us")
    keeper = Measure("CPU of the router's main process per request (records handed on)", "us")
    for proxy in proxies:  # connections to the instances are made, code is warm
        h2load.offer(proxy, secure=secure, seconds=1, rate=RATE)
    for _ in range(bench.rounds):
        for proxy in proxies:
            load, used, beside = _measured(bench, proxy, secure)
            cpu.add(proxy.name, used / load.done * 1e6)
            rate.add(proxy.name, load.rate)
            p50.add(proxy.name, load.p50_us)
            p99.add(proxy.name, load.p99_us)
            if proxy is bench.narthex:
                keeper.add(proxy.name, beside / load.done * 1e6)
    verdicts = [Verdict(f"CPU, narthex to {peer}", cpu.ratio("narthex", peer), most) for peer, most in targets.items()]
    return Row(f"{title}, {RATE} requests/s", [cpu, rate, p50, p99, keeper], verdicts)


def _measured(bench: Bench, proxy: Proxy, secure: bool) -> tuple[h2load.Load, float, float]:
    """A load, and the CPU seconds that the proxy and the router's main process used meanwhile."""
    keepers = bench.installation.keepers()
    before, before_beside = proxy.cpu_seconds(), machine.cpu_seconds(keepers)
    load = h2load.offer(proxy, secure=secure, seconds=bench.seconds, rate=RATE)
    return load, proxy.cpu_seconds() - before, machine.cpu_seconds(keepers) - before_beside
