"""Counters of several workers as those of one, in the words of Prometheus."""

import json

from prometheus_client.parser import text_string_to_metric_families
from unit.router.test_decisions import exchange

from narthex_router.stats import Stats, add_up, render


def counted(*statuses: int) -> Stats:
    stats = Stats()
    for status in statuses:
        made = exchange()
        made.status, made.code = status, "no_instances" if status == 503 else ""
        made.answered_at, made.ended_at, made.response_bytes = 1.004, 1.02, 10
        stats.count_all([made])
    return stats


def test_what_workers_counted_adds_up_and_is_read_by_prometheus() -> None:
    workers = [json.loads(counted(*statuses).encode()) for statuses in ((200, 200, 503), (200, 404), ())]
    text = render(add_up(workers))
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    of = (("project", "p"), ("service", "svc"))
    assert samples["narthex_service_responses_total", *of, ("status", "200")] == 3
    assert samples["narthex_service_router_answers_total", ("code", "no_instances"), *of] == 1
    assert samples["narthex_service_response_bytes_total", *of] == 50
    assert samples["narthex_service_request_duration_seconds_count", *of] == 5
    assert samples["narthex_service_request_duration_seconds_bucket", ("le", "0.01"), *of] == 0
    assert samples["narthex_service_request_duration_seconds_bucket", ("le", "0.025"), *of] == 5
    assert samples["narthex_service_time_to_first_byte_seconds_bucket", ("le", "0.005"), *of] == 5
