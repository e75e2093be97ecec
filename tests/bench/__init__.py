"""`make bench`: the router as production runs it against nginx, HAProxy, Envoy and Caddy, on one machine.

CPU time per request at a fixed offered rate, all proxies in turn within a round, several rounds, medians and
ratios: on a shared machine that compares proxies where saturated throughput does not.
"""
