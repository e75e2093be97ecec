"""One live system for the whole suite, and what its tests stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import ubiops
from compat.application import Application, application
from compat.cli import Cli, Starter
from compat.cli import starter as running_starter
from compat.stage import HOOKS, Served, Stage, localhost_names, make_stage
from compat.stock import fresh, library

from narthex.testing.system import System, running_system

SETTINGS = {"NARTHEX_WEBHOOKS_ALLOW_NETWORKS": f"{HOOKS}/32"}


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("compat"), settings=SETTINGS) as running:
        yield running


@pytest.fixture(scope="session")
def core(system: System) -> ubiops.CoreApi:
    """The stock library, signed in as the administrator."""
    return library(system, system.token)


@pytest.fixture(scope="session")
def stage(system: System, core: ubiops.CoreApi) -> Stage:
    core.projects_create(ubiops.ProjectCreate(name="compat", organization_name="default"))
    return make_stage(system, core, "compat")


@pytest.fixture
def here(stage: Stage) -> Stage:
    """A project of the test's own."""
    name = fresh("own")
    stage.core.projects_create(ubiops.ProjectCreate(name=name, organization_name="default"))
    return make_stage(stage.system, stage.core, name)


@pytest.fixture(scope="session")
def project(stage: Stage) -> str:
    return stage.project


@pytest.fixture(scope="session")
def app() -> Iterator[Application]:
    with application() as running:
        yield running


@pytest.fixture(scope="session")
def served(stage: Stage, app: Application) -> Served:
    """A running service and a few requests through it: good, wrong, failed."""
    deployment = stage.deployment("served")
    version = stage.version(deployment, request_retention_mode="full")
    service = stage.service(deployment, "served")
    instance = stage.register(deployment, app)
    stage.ready(service)
    with localhost_names():
        answers = {path: stage.call(service, path) for path in ("/hello", "/status/404", "/status/500")}
        answers["/echo"] = stage.call(service, "/echo", method="POST", json={"question": 42})
    made = {path: answer.headers["x-request-id"] for path, answer in answers.items()}
    return Served(stage, deployment, version, service, instance, app, made)


@pytest.fixture(autouse=True)
def _localhost_names() -> Iterator[None]:
    with localhost_names():
        yield


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter]:
    with running_starter() as running:
        yield running


@pytest.fixture(scope="session")
def signed_in(stage: Stage, starter: Starter, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The stock CLI after `ubiops signin --token`, working in the tests' project."""
    cli = Cli(starter, tmp_path_factory.mktemp("cli"))
    cli.run("signin", "--token", "--api", f"{stage.system.api_url}/v2.1", "-p", f"Token {stage.system.token}")
    cli.run("current_project", "set", stage.project)
    return cli


@pytest.fixture
def cli(signed_in: Cli, tmp_path: Path) -> Cli:
    """A user's own CLI, signed in: what it writes into its configuration stays with the test."""
    return signed_in.copy(tmp_path / "cli")


@pytest.fixture
def new_cli(starter: Starter, tmp_path: Path) -> Cli:
    """The CLI as it is after its installation: nobody is signed in."""
    return Cli(starter, tmp_path / "cli")
