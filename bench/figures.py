"""What a benchmark found: tables for people, ``figure`` lines for programs."""

from __future__ import annotations

import argparse
import operator
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_COMPARE = {">=": operator.ge, "<=": operator.le, "==": operator.eq}


@dataclass(frozen=True, slots=True)
class Sample:
    """The same thing measured several times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """Half the range between the quartiles, relative to the median."""
        if len(self.values) < 3 or not self.median:
            return 0.0
        low, _, high = statistics.quantiles(self.values, n=4)
        return (high - low) / 2 / self.median

    def __str__(self) -> str:
        return f"{self.median:8.1f} ±{self.spread:4.0%}"


class Figures:
    """``add`` them as they come, ``finish`` prints them: one line each, at the very end."""

    def __init__(self, *, check: bool) -> None:
        self._check = check
        self._lines: list[str] = []
        self._short = False

    def add(self, name: str, value: float, comparison: str, target: float) -> None:
        met = _COMPARE[comparison](value, target)
        self._short = self._short or not met
        self._lines.append(f"figure {name} {value:.3g} target {comparison} {target:g} {'met' if met else 'short'}")

    def finish(self) -> None:
        """Exits with 1 if asked to check and a figure is short of its target."""
        print()
        print("\n".join(self._lines), flush=True)
        sys.exit(1 if self._check and self._short else 0)


def options(description: str | None) -> argparse.Namespace:
    """``quick`` and ``check``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="less of everything: under a minute")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a figure is short of its target")
    return parser.parse_args()


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)), flush=True)
