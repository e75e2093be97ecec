"""One request, opened: why, when, what was said on both sides, and asking it again."""

import os
import subprocess
from pathlib import Path

from playwright.sync_api import Page, expect

from narthex.testing.system import System
from web.stored import Stored


def test_a_request_tells_why_it_went_so_where_its_time_went_and_what_was_sent(app: Page, stored: Stored) -> None:
    app.goto(f"/projects/default/services/hello/requests/{stored.plain['request']}")
    expect(app.get_by_role("alert")).to_contain_text("answered")
    expect(app.get_by_role("table", name="The request", exact=True)).to_contain_text("a program/1.0")
    expect(app.get_by_role("list", name="How the time was spent").get_by_role("listitem").last).to_contain_text("ms")
    expect(app.get_by_role("table", name="Headers of the request")).to_contain_text("[redacted]")
    body = app.get_by_role("region", name="Body of the request")
    expect(body).to_contain_text('{\n  "question": "how much is six by seven?"\n}')
    expect(app.get_by_role("table", name="Instances at that moment")).to_contain_text("healthy")


def test_the_request_can_be_asked_again_as_the_page_says(
    app: Page, system: System, stored: Stored, tmp_path: Path
) -> None:
    app.goto(f"/projects/default/services/hostile/requests/{stored.hostile['request']}")
    shown = app.get_by_role("region", name="curl, to be pasted")
    expect(shown).to_contain_text("--cacert")
    command = shown.inner_text()
    assert system.token not in command
    (tmp_path / ".narthex").symlink_to(system.data_dir)
    done = subprocess.run(
        ["bash", "-c", f"{command} -s -o /dev/null -w '%{{http_code}}'"],
        env=os.environ | {"NARTHEX_TOKEN": system.token},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout in ("404", "501"), done.stderr  # of the instance: it has no such file
