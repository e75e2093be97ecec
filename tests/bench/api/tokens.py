"""Whether the time of an answer says how much of a wrong token was right (after dudect: Reparaz et al., 2017).

Two kinds of wrong tokens in random order: made of nothing, and right but for the last characters. If the means of
their times differ by more than chance explains, something compares them character by character.
"""

import random
import time
from collections.abc import Sequence
from math import sqrt
from statistics import fmean, variance

from bench.api.load import Load
from bench.api.mix import Mix
from bench.api.registry import PROJECT, Running

EACH = 10_000
SUSPICIOUS = 4.5  # of |t|: dudect's line
KEPT = 0.9  # of the measurements, the fastest: the rest is what the machine did besides


async def measured(registry: Running) -> tuple[list[float], list[float]]:
    """Milliseconds of answers to tokens made of nothing, and to tokens that are nearly right."""
    chance = random.Random(80)
    kinds = [number % 2 for number in range(2 * EACH)]
    chance.shuffle(kinds)
    found: tuple[list[float], list[float]] = ([], [])
    load = Load(registry.port)
    for kind in kinds:
        token = nearly(registry.token, chance) if kind else madeup(registry.token, chance)
        request = Mix(token, chance).refused(f"{PROJECT}/services")
        began = time.perf_counter()
        await load.one(request, began, keep=True)
        found[kind].append((time.perf_counter() - began) * 1e3)
    load.close()
    assert not load.outcome.wrong, load.outcome.wrong
    return found


def nearly(token: str, chance: random.Random) -> str:
    """A token that is right but for its last characters: so many that no guess will be right."""
    return token[:-6] + _characters(6, chance)


def madeup(token: str, chance: random.Random) -> str:
    """A token of the same length that has nothing of it."""
    return _characters(len(token), chance)


def t_of(one: Sequence[float], other: Sequence[float]) -> float:
    """Welch's t of the faster part of two samples."""
    border = sorted([*one, *other])[int((len(one) + len(other)) * KEPT)]
    a, b = ([value for value in sample if value <= border] for sample in (one, other))
    return (fmean(a) - fmean(b)) / sqrt(variance(a) / len(a) + variance(b) / len(b))


def _characters(count: int, chance: random.Random) -> str:
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=count))
