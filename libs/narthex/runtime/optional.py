"""Imports of libraries without the ones that they take where they find them, for what Narthex never asks of them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Make the imports of these packages fail in the block, as if they were not installed.

    One that is in memory already stays importable: hiding it would save nothing.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        make_unimportable(name)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def make_unimportable(name: str) -> None:
    """Make every later import of a package fail, as if it were not installed."""
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]  # None is the language's way to say so
    modules[name] = None
