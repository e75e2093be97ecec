"""When a part that ended is started again. Pure."""

from dataclasses import dataclass, replace

MISCONFIGURED = 2  # the exit code of a part that cannot start as it is set up
PATIENCE = 3  # times in a row: the first may have been a race with another part
STEADY_S = 30.0  # a part that lived this long is well again: the next end counts as the first


@dataclass(frozen=True)
class History:
    """How often a part has ended."""

    restarts: int = 0  # all of them, for people
    in_a_row: int = 0  # without a steady life in between, for the back-off
    misconfigured: int = 0  # in a row, with exit code 2, before the installation was ready

    def after(self, exit_code: int, lived_s: float, *, starting: bool) -> "History":
        """The history with one more end of the part."""
        misconfigured = self.misconfigured + 1 if starting and exit_code == MISCONFIGURED else 0
        in_a_row = 1 if lived_s >= STEADY_S else self.in_a_row + 1
        return replace(self, restarts=self.restarts + 1, in_a_row=in_a_row, misconfigured=misconfigured)

    @property
    def hopeless(self) -> bool:
        return self.misconfigured >= PATIENCE


def describe_exit(code: int) -> str:
    """An exit code of subprocess in words: negative ones are signals."""
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
