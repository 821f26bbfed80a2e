"""Delays in the simulated site: ranges of seconds, drawn from one seeded generator."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """Seconds, from ``low`` to ``high``."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Delays:
    """``power``: until a power change takes effect; ``boot``: from power on to a running system, or to the provisioner;
    ``install``: writing the image; ``action``: between two reports of a boot action."""

    power: Range = Range(0.2, 0.6)
    boot: Range = Range(0.3, 1.5)
    install: Range = Range(0.8, 3.0)
    action: Range = Range(0.1, 0.5)


class Dice:
    """Draws delays; a seed fixes the sequence, but not the order in which machines draw."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)

    def draw(self, delay: Range) -> float:
        return self._random.uniform(delay.low, delay.high)


def parse_range(text: str) -> Range:
    """``0.5-3`` or ``2``: seconds. Raises ``ValueError`` with a message for the operator."""
    low, dash, high = text.partition("-")
    try:
        parsed = Range(float(low), float(high if dash else low))
    except ValueError:
        raise ValueError(f"{text!r} is not a range of seconds such as 0.5-3") from None
    if not (math.isfinite(parsed.high) and 0 <= parsed.low <= parsed.high):
        raise ValueError(f"{text!r}: seconds go from the smaller to the greater, and are not negative")
    return parsed
