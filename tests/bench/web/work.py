"""What a page costs: the CPU time of its main thread, which nothing else on the machine makes longer, and its bytes."""

import gzip
from dataclasses import dataclass

from playwright.sync_api import Page, Response


@dataclass(frozen=True)
class Work:
    """Milliseconds of CPU since the page's process began."""

    all: float
    script: float
    layout: float  # and styles

    def __sub__(self, before: "Work") -> "Work":
        return Work(self.all - before.all, self.script - before.script, self.layout - before.layout)


class Meter:
    """Asks the browser how long a page's main thread has worked."""

    def __init__(self, page: Page) -> None:
        self._debugger = page.context.new_cdp_session(page)
        self._debugger.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read(self) -> Work:
        told = {each["name"]: each["value"] * 1000 for each in self._debugger.send("Performance.getMetrics")["metrics"]}
        return Work(told["TaskDuration"], told["ScriptDuration"], told["LayoutDuration"] + told["RecalcStyleDuration"])


class Loaded:
    """The files of the build that a page loads from now on."""

    def __init__(self, page: Page) -> None:
        self._answers: list[Response] = []
        page.on("response", lambda answer: self._answers.append(answer))

    def files(self) -> int:
        return len(self._assets())

    def gzipped(self) -> int:
        return sum(len(gzip.compress(answer.body(), 9)) for answer in self._assets())

    def on_the_wire(self) -> int:
        return sum(answer.request.sizes()["responseBodySize"] for answer in self._assets())

    def _assets(self) -> list[Response]:
        return [answer for answer in self._answers if "/assets/" in answer.url]
