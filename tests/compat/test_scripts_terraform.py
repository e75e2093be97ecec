"""What UbiOps' Terraform provider sends, and what it reads of the answers."""

import time
from typing import Any

import pytest
import requests
from compat.stage import Stage
from compat.stock import TIMEOUT_S


class Terraform:
    """The calls of the Terraform provider: raw JSON, `Token`, retries of 429 and 5xx, and what it reads of errors."""

    def __init__(self, stage: Stage) -> None:
        self.base = f"{stage.system.api_url}/v2.1/projects/{stage.project}"
        self.headers = {
            "Authorization": f"Token {stage.system.token}",
            "User-Agent": "terraform-provider-ubiops/1.0.0",
            "Accept": "application/json",
        }

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        for attempt in range(3):
            answer = requests.request(method, self.base + path, json=body, headers=self.headers, timeout=TIMEOUT_S)
            if answer.status_code != 429 and answer.status_code < 500:
                break
            time.sleep(0.5 * 2**attempt)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def upload(self, path: str) -> Any:
        file = {"file": ("package.zip", b"PK\x05\x06" + b"\0" * 18, "application/octet-stream")}
        answer = requests.post(self.base + path, files=file, headers=self.headers, timeout=TIMEOUT_S)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None, *, status: int) -> str:
        """The sentence of an error, and its `detail` if there is one: both must be text."""
        error = self.call(method, path, body, status)
        assert isinstance(error["error"], str)
        assert error["error"]
        assert isinstance(error.get("detail", ""), str)
        return str(error["error"]) + error.get("detail", "")


@pytest.fixture
def terraform(here: Stage) -> Terraform:
    return Terraform(here)


VERSION = {
    "version": "v1",
    "description": "",
    "environment": "python3-12",
    "instance_type_group_name": "256 MB + 0.0625 vCPU",
    "request_retention_mode": "full",
    "request_retention_time": 604800,
    "scaling_strategy": "default",
    "minimum_instances": 0,
    "maximum_instances": 1,
    "maximum_idle_time": 300,
    "maximum_queue_size": 1000,
    "instance_processes": 1,
    "static_ip": False,  # retired, and still sent with every version
    "restart_request_interruption": False,
    "labels": {"managed-by": "terraform"},
}
SERVICE = {
    "name": "web",
    "description": "",
    "deployment": "web",
    "port": 8080,
    "authentication_required": True,
    "authentication_method_token_enabled": True,
    "rate_limit_token": 50,
    "labels": {"managed-by": "terraform"},
}


def test_terraform_creates_a_version_and_reads_back_what_it_planned(terraform: Terraform) -> None:
    terraform.call("POST", "/deployments", {"name": "web", "input_type": "plain", "output_type": "plain"}, 201)
    made = terraform.call("POST", "/deployments/web/versions", VERSION, 201)
    read = terraform.call("GET", "/deployments/web/versions/v1")
    # A planned value that comes back different is "an inconsistent result after apply"; one it was not given stays.
    for name, planned in VERSION.items():
        assert made.get(name, planned) == planned
        assert read.get(name, planned) == planned
    changed = terraform.call("PATCH", "/deployments/web/versions/v1", {"maximum_instances": 3})
    assert (changed["id"], changed["maximum_instances"]) == (made["id"], 3)
    uploaded = terraform.upload("/deployments/web/versions/v1/revisions")
    revision = terraform.call("GET", f"/deployments/web/versions/v1/revisions/{uploaded['revision']}")
    assert revision["status"] == "success"


def test_terraform_plans_applies_changes_and_destroys_a_service(terraform: Terraform) -> None:
    terraform.call("POST", "/deployments", {"name": "web", "supports_request_format": False}, 201)
    terraform.call("POST", "/deployments/web/versions", VERSION | {"static_ip": False}, 201)
    terraform.refused("GET", "/services/web", status=404)
    made = terraform.call("POST", "/services", SERVICE, 201)
    for name, planned in SERVICE.items():
        assert made.get(name, planned) == planned
    assert made["rate_limit_user_default"] == 50
    assert made["request_logging_excluded_paths"] == ""
    assert made["endpoint"].startswith("https://")
    assert "web" in terraform.refused("POST", "/services", SERVICE, status=409)  # applied twice: told, not done twice
    assert terraform.call("GET", "/services/web") == made
    changed = terraform.call("PATCH", "/services/web", {"name": "shop", "port": 9090, "version": "v1", "labels": {}})
    assert (changed["id"], changed["version"], changed["labels"]) == (made["id"], "v1", {})
    assert terraform.call("PATCH", "/services/shop", {"version": None})["version"] is None
    assert terraform.call("PATCH", "/services/shop", {}) == terraform.call("GET", "/services/shop")
    assert "port" in terraform.refused("PATCH", "/services/shop", {"port": 1}, status=400)
    terraform.call("DELETE", "/services/shop", status=204)
    terraform.refused("GET", "/services/shop", status=404)
    terraform.call("DELETE", "/deployments/web", status=204)


def test_terraform_gives_a_service_user_a_role_and_resets_its_token(terraform: Terraform) -> None:
    user = terraform.call("POST", "/service-users", {"name": "ci", "description": "", "expiry_date": None}, 201)
    role = terraform.call("POST", "/roles", {"name": "ci", "permissions": ["services.get", "services.list"]}, 201)
    asked = {"assignee": user["id"], "assignee_type": "user", "role": role["name"]}
    assignment = terraform.call("POST", "/role-assignments", asked, 201)
    assert {name: assignment[name] for name in asked} == asked
    assert terraform.call("GET", f"/role-assignments/{assignment['id']}") == assignment
    assert terraform.call("PUT", f"/service-users/{user['id']}/token")["token"] != user["token"]
    changed = terraform.call("PATCH", "/roles/ci", {"permissions": ["services.get"]})
    assert changed["permissions"] == ["services.get"]
    for path in (f"/role-assignments/{assignment['id']}", "/roles/ci", f"/service-users/{user['id']}"):
        terraform.call("DELETE", path, status=204)
        terraform.refused("GET", path, status=404)
