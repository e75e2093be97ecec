"""Writes the Grafana dashboards: deploy/grafana/dashboards/*.json.

    python tools/dashboards.py

A dashboard is rows of panels here, each a title, a unit and what it asks Prometheus; Grafana's JSON is made of that. A
test holds the files to this, and every metric that is asked for to the code.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH, HEIGHT = 24, 7


class Panel(NamedTuple):
    """One chart. `asks`: what is asked, and how each line is called."""

    title: str
    unit: str
    asks: dict[str, str]


OF_SERVICE = 'service=~"$service",project=~"$project"'

DASHBOARDS: dict[str, list[list[Panel]]] = {
    "services": [
        [
            Panel("Requests", "reqps", {f"narthex:service_requests:rate5m{{{OF_SERVICE}}}": "{{service}}"}),
            Panel("Failures", "percentunit", {f"narthex:service_failures:ratio5m{{{OF_SERVICE}}}": "{{service}}"}),
        ],
        [
            Panel(
                "Half of the requests", "s", {f"narthex:service_duration_seconds:p50_5m{{{OF_SERVICE}}}": "{{service}}"}
            ),
            Panel(
                "99 % of the requests", "s", {f"narthex:service_duration_seconds:p99_5m{{{OF_SERVICE}}}": "{{service}}"}
            ),
            Panel(
                "First byte, 99 %", "s", {f"narthex:service_first_byte_seconds:p99_5m{{{OF_SERVICE}}}": "{{service}}"}
            ),
        ],
        [
            Panel(
                "Answers of the router's own",
                "reqps",
                {f"narthex:service_router_answers:rate5m{{{OF_SERVICE}}}": "{{service}} {{code}}"},
            ),
            Panel(
                "Broken responses",
                "reqps",
                {
                    f"sum by (service, outcome) (rate(narthex_service_broken_responses_total{{{OF_SERVICE}}}[5m]))": (
                        "{{service}} {{outcome}}"
                    )
                },
            ),
            Panel(
                "Sent again",
                "reqps",
                {
                    f"sum by (service) (rate(narthex_service_retries_total{{{OF_SERVICE}}}[5m]))": "{{service}}",
                    f"sum by (service) (rate(narthex_service_failures_over_retry_budget_total{{{OF_SERVICE}}}[5m]))": (
                        "{{service}} over budget"
                    ),
                },
            ),
        ],
        [
            Panel(
                "Bytes in",
                "Bps",
                {f"sum by (service) (rate(narthex_service_request_bytes_total{{{OF_SERVICE}}}[5m]))": "{{service}}"},
            ),
            Panel(
                "Bytes out",
                "Bps",
                {f"sum by (service) (rate(narthex_service_response_bytes_total{{{OF_SERVICE}}}[5m]))": "{{service}}"},
            ),
        ],
    ],
    "routers": [
        [
            Panel("Connections", "short", {"narthex_router_worker_connections": "{{worker}}"}),
            Panel("Requests under way", "short", {"narthex_router_worker_in_flight": "{{worker}}"}),
            Panel("Services known", "short", {"narthex_router_worker_services": "{{worker}}"}),
        ],
        [
            Panel("Registry's sequence applied", "short", {"narthex_router_worker_applied_sequence": "{{worker}}"}),
            Panel("Time without the shared table", "s", {"narthex_router_worker_table_stale_s": "{{worker}}"}),
            Panel("Entries that cannot be read", "short", {"narthex_router_worker_unreadable_entries": "{{worker}}"}),
        ],
        [
            Panel(
                "Workers started again",
                "short",
                {
                    "increase(narthex_router_worker_restarts_total[5m])": "{{instance}} died",
                    "increase(narthex_router_worker_stalls_total[5m])": "{{instance}} stood still",
                    "increase(narthex_router_nursery_restarts_total[5m])": "{{instance}} nursery",
                },
            ),
            Panel("Questions about limits", "ops", {"rate(narthex_router_worker_limit_questions[5m])": "{{worker}}"}),
            Panel("No service named", "reqps", {"rate(narthex_router_worker_unrouted_answers[5m])": "{{worker}}"}),
        ],
        [
            Panel(
                "Requests wait for the event loop, 99 %",
                "s",
                {"narthex:router_event_loop_lag_seconds:p99_5m": "{{instance}}"},
            ),
            Panel(
                "The event loop stands still, 99.9 %",
                "s",
                {"narthex:router_event_loop_stall_seconds:p999_5m": "{{instance}}"},
            ),
            Panel("Memory of workers", "bytes", {"narthex_router_worker_memory_bytes": "{{worker}}"}),
        ],
        [
            Panel("Memory is short (0 to 4)", "short", {"narthex_router_worker_memory_pressure": "{{worker}}"}),
            Panel(
                "Refused or ended for want of memory",
                "ops",
                {"sum by (instance, what) (rate(narthex_router_shed_total[5m]))": "{{instance}} {{what}}"},
            ),
        ],
        [
            Panel(
                "CPU of the main process",
                "percentunit",
                {'rate(process_cpu_seconds_total{job="router"}[5m])': "{{instance}}"},
            ),
            Panel(
                "Memory of the main process", "bytes", {'process_resident_memory_bytes{job="router"}': "{{instance}}"}
            ),
        ],
    ],
    "health": [
        [
            Panel("Instances probed", "short", {"narthex_healthcheck_instances": "{{instance}}"}),
            Panel(
                "Probes by what they saw",
                "ops",
                {"sum by (outcome) (rate(narthex_healthcheck_probes_total[5m]))": "{{outcome}}"},
            ),
        ],
        [
            Panel("Probes begin late by, 99 %", "s", {"narthex:healthcheck_lag_seconds:p99_5m": "99 %"}),
            Panel("Verdicts not told yet", "short", {"narthex_healthcheck_untold_verdicts": "{{instance}}"}),
        ],
    ],
    "certificates": [
        [
            Panel(
                "The first to end, in",
                "s",
                {
                    "narthex_certs_not_after_seconds - time()": "own CA",
                    "narthex_certs_acme_not_after_seconds - time()": "ACME",
                },
            ),
            Panel("In trouble", "short", {"narthex_certs_troubled": "certificates"}),
        ],
        [
            Panel(
                "Issued and obtained",
                "short",
                {
                    "increase(narthex_certs_issued_total[1h])": "own CA",
                    "increase(narthex_certs_obtained_total[1h])": "ACME",
                },
            ),
            Panel(
                "Orders",
                "short",
                {
                    "increase(narthex_certs_orders_total[1h])": "begun",
                    "increase(narthex_certs_orders_held_back_total[1h])": "held back",
                    "sum by (kind) (increase(narthex_certs_order_failures_total[1h]))": "failed: {{kind}}",
                    "increase(narthex_certs_renewal_failures_total[1h])": "failed: own CA",
                },
            ),
        ],
    ],
    "bus": [
        [
            Panel("Connected", "short", {"narthex_bus_connected": "{{job}} {{instance}}"}),
            Panel("Ready", "short", {"narthex_ready": "{{job}} {{check}}"}),
            Panel("Facts not published yet", "short", {"narthex_outbox_waiting": "{{instance}}"}),
        ],
        [
            Panel("Facts published", "ops", {"rate(narthex_outbox_published_total[5m])": "{{instance}}"}),
            Panel(
                "Events handled",
                "ops",
                {"sum by (job, subject) (rate(narthex_events_handled_total[5m]))": "{{job}} {{subject}}"},
            ),
        ],
        [
            Panel(
                "Handlers that failed",
                "ops",
                {"sum by (job, subject) (rate(narthex_event_failures_total[5m]))": "{{job}} {{subject}}"},
            ),
            Panel(
                "Dead letters",
                "short",
                {"sum by (job, subject) (increase(narthex_dead_letters_total[1h]))": "{{job}} {{subject}}"},
            ),
        ],
        [
            Panel(
                "API requests",
                "reqps",
                {"sum by (method, status) (rate(narthex_api_requests_total[5m]))": "{{method}} {{status}}"},
            ),
            Panel("API, 99 %", "s", {"narthex:api_request_seconds:p99_5m": "{{method}}"}),
            Panel("Webhook calls", "ops", {"sum by (result) (rate(narthex_webhook_calls_total[5m]))": "{{result}}"}),
        ],
    ],
    "audit": [
        [
            Panel("Records written", "ops", {"rate(narthex_request_records_written_total[5m])": "{{instance}}"}),
            Panel("Found after, 99 %", "s", {"narthex:request_records_lag_seconds:p99_5m": "99 %"}),
            Panel(
                "Lost",
                "ops",
                {
                    "narthex:request_records_dropped:rate5m": "{{reason}}",
                    "rate(narthex_request_records_poison_total[5m])": "poison",
                    'rate(narthex_request_records_reported_lost_total{reason="bus_lost"}[5m])': "bus_lost",
                },
            ),
        ],
        [
            Panel("Waiting in routers", "bytes", {"narthex_request_records_waiting_bytes": "{{instance}}"}),
            Panel(
                "Batches taken by the bus", "ops", {"rate(narthex_request_records_batches_total[5m])": "{{instance}}"}
            ),
            Panel(
                "An insert takes, 99 %",
                "s",
                {"histogram_quantile(0.99, sum by (le) (rate(narthex_log_store_insert_seconds_bucket[5m])))": "99 %"},
            ),
        ],
        [
            Panel("The store takes", "bytes", {"narthex_log_store_bytes": "{{instance}}"}),
            Panel("Removed for want of space", "short", {"increase(narthex_log_store_cuts_total[1h])": "{{instance}}"}),
            Panel("Memory", "bytes", {'process_resident_memory_bytes{job="audit"}': "{{instance}}"}),
        ],
    ],
}


def dashboard(name: str, rows: list[list[Panel]]) -> dict[str, Any]:
    """A dashboard as Grafana imports it."""
    panels = [
        _panel(panel, x=column * (WIDTH // len(row)), y=line * HEIGHT, width=WIDTH // len(row))
        for line, row in enumerate(rows)
        for column, panel in enumerate(row)
    ]
    for number, panel in enumerate(panels, 1):
        panel["id"] = number
    return {
        "uid": f"narthex-{name}",
        "title": f"Narthex: {name}",
        "tags": ["narthex"],
        "editable": True,
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_source(), *(_labels() if name == "services" else ())]},
        "panels": panels,
    }


def _panel(panel: Panel, x: int, y: int, width: int) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for number, (expression, legend) in enumerate(panel.asks.items())
        ],
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _labels() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "type": "query",
            "datasource": SOURCE,
            "query": f"label_values(narthex_service_responses_total, {name})",
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
            "refresh": 2,
        }
        for name in ("project", "service")
    ]


def files() -> dict[Path, str]:
    """What has to be in which file."""
    return {
        FOLDER / f"{name}.json": json.dumps(dashboard(name, rows), indent=1) + "\n" for name, rows in DASHBOARDS.items()
    }


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in files().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
