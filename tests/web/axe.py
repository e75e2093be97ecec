"""What axe has to say against a page; it runs in the page, past its policy, as a debugger's words do."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

WEB = Path(__file__).parents[2] / "services" / "registry" / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = frozenset({"serious", "critical"})
# Colours that are on their way to others are nobody's choice; what turns for ever is not waited for.
RUN = """async (rules) => {
  const moving = document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(moving.map((each) => each.finished));
  const only = rules.length ? { runOnly: { type: "rule", values: rules } } : {};
  const found = await axe.run(document, { resultTypes: ["violations"], ...only });
  return found.violations;
}"""


def grave_problems(page: Page, *rules: str) -> list[str]:
    """The serious and critical ones as sentences; of these rules only, if any are named."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(RUN, list(rules))
    return [_sentence(problem, node) for problem in found if problem["impact"] in GRAVE for node in problem["nodes"]]


def _sentence(problem: dict[str, Any], node: dict[str, Any]) -> str:
    why = node["failureSummary"].split("\n")[-1].strip()
    return f"{problem['impact']} {problem['id']}: {node['target'][0]}: {why}"
