"""Scrolls a long table to its end and steadily, and looks at each frame."""

from dataclasses import dataclass

from playwright.sync_api import Page

from bench.web.work import Meter, Work

SECONDS = 8
# Frame by frame: how long each took, how many elements there are, and whether the middle of the window shows a row, and
# one whose data is there.
STEADY = """([seconds, step]) => new Promise(done => {
  const frames = [], began = performance.now()
  let last = began, most = 0, blank = 0, awaited = 0, way = step
  const frame = now => {
    frames.push(now - last); last = now
    most = Math.max(most, document.getElementsByTagName('*').length)
    const row = document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('.data-body [role=row]')
    if (!row) blank++
    else if (row.ariaBusy === 'true') awaited++
    if (scrollY <= 0) way = step
    else if (scrollY + innerHeight >= document.documentElement.scrollHeight - 1) way = -step
    scrollBy(0, way)
    if (now - began < seconds * 1000) requestAnimationFrame(frame)
    else done([frames.slice(2), most, blank, awaited])
  }
  requestAnimationFrame(frame)
})"""
# As fast as a person drags the bar to the bottom, until so many rows are known.
TO_END = """async (rows) => {
  const table = () => document.querySelector('[role=table] .data-body')
  let most = 0
  for (let idle = 0; idle < 600;) {
    const before = table().offsetHeight
    scrollTo(0, document.documentElement.scrollHeight)
    await new Promise(done => setTimeout(done, 50))
    most = Math.max(most, document.getElementsByTagName('*').length)
    const known = table().offsetHeight / document.querySelector('.data-body [role=row]').offsetHeight
    if (known >= rows) return [Math.round(known), most]
    idle = table().offsetHeight === before ? idle + 1 : 0
  }
  throw new Error('no more rows came')
}"""
ROW_HEIGHT = "() => document.querySelector('.data-body [role=row]').offsetHeight"


@dataclass(frozen=True)
class Smoothness:
    """What was seen of a steady scroll."""

    frames: int
    p50_ms: float
    p95_ms: float
    longest_ms: float
    elements: int  # the most at a time
    blank: int  # frames without a row in the middle
    awaited: int  # frames whose row in the middle had no data yet
    work: Work  # of all frames
    rows: float  # that came into sight

    @property
    def work_ms(self) -> float:
        """CPU a frame."""
        return self.work.all / self.frames

    def __str__(self) -> str:
        script, layout = self.work.script / self.frames, self.work.layout / self.frames
        return (
            f"{self.frames} frames, median {self.p50_ms:.1f}, p95 {self.p95_ms:.1f}, longest {self.longest_ms:.0f} ms; "
            f"CPU a frame {self.work_ms:.1f} ms (script {script:.1f}, layout {layout:.1f}), "
            f"a row {self.work.all / self.rows:.2f} ms (script {self.work.script / self.rows:.2f}); at most "
            f"{self.elements} elements; {self.blank} frames without a row, {self.awaited} with one still empty"
        )


def to_end(page: Page, rows: int) -> tuple[int, int]:
    """How many rows were known in the end, and the most elements at a time."""
    known, elements = page.evaluate(TO_END, rows)
    return known, elements


def steadily(page: Page, step: int) -> Smoothness:
    """Down and up by so many pixels a frame."""
    meter = Meter(page)
    before = meter.read()
    frames, elements, blank, awaited = page.evaluate(STEADY, [SECONDS, step])
    work = meter.read() - before
    frames.sort()
    middle, late = frames[len(frames) // 2], frames[int(len(frames) * 0.95)]
    rows = len(frames) * step / page.evaluate(ROW_HEIGHT)
    return Smoothness(len(frames), middle, late, frames[-1], elements, blank, awaited, work, rows)
