"""Tables that fit the terminal: columns are dropped before a name, an id or a state is cut or wrapped.

Each column has a rank: columns of the highest rank are dropped first, rank 0 never. Columns
that fold or may be cut share the remaining width. If the remaining columns are still too wide, each row becomes a few
lines. Into a pipe or a file everything is written in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as RichTable
from rich.text import Text

from drydock.cli.consoles import UNBOUNDED
from drydock.cli.output import clean

#: Cells between two columns.
GAP = 2
#: Minimum width of a column that folds or is cut.
NARROWEST = 12

STYLES = {
    "success": "green",
    "partial_success": "yellow",
    "failure": "red",
    "terminated": "red",
    "running": "cyan",
    "terminating": "yellow",
}


@dataclass(frozen=True, slots=True)
class Column:
    """``folds``: long cells take several lines; ``cut``: they are cut short. Without either cells are never broken."""

    name: str
    rank: int = 0
    folds: bool = False
    cut: bool = False

    @property
    def gives_way(self) -> bool:
        return self.folds or self.cut


class Table:
    """Rows of cells under columns, laid out for the width that it is printed at."""

    def __init__(self, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
        self._columns = columns
        self._rows = [[clean("" if cell is None else cell) for cell in row] for row in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width
        if room >= UNBOUNDED:
            kept = list(range(len(self._columns)))
            yield self._laid_out(kept, room)
            return
        kept = self._fitting(room)
        if self._needs(kept) <= room:
            yield self._laid_out(kept, room)
        else:
            yield from self._stacked(kept)

    def _fitting(self, room: int) -> list[int]:
        """The columns to show: without empty ones and those that do not fit."""
        kept = [
            place
            for place, column in enumerate(self._columns)
            if column.rank == 0 or any(row[place] for row in self._rows)
        ]
        while self._needs(kept) > room:
            going = max(kept, key=lambda place: (self._columns[place].rank, place))
            if self._columns[going].rank == 0:
                break
            kept.remove(going)
        return kept

    def _width(self, place: int) -> int:
        return max([cell_len(self._columns[place].name), *(_length(row[place]) for row in self._rows)])

    def _needs(self, kept: Sequence[int]) -> int:
        widths = (
            min(self._width(place), NARROWEST) if self._columns[place].gives_way else self._width(place)
            for place in kept
        )
        return sum(widths) + GAP * (len(kept) - 1)

    def _laid_out(self, kept: Sequence[int], room: int) -> RichTable:
        # One cell of padding and one of the box between two columns: GAP.
        made = RichTable(
            box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold"
        )
        spare = room - self._needs(kept)
        for place in kept:
            column, width = self._columns[place], self._width(place)
            if column.gives_way and width > NARROWEST:
                width, spare = min(width, NARROWEST + spare), max(0, spare - (width - NARROWEST))
            made.add_column(
                column.name,
                width=width,
                no_wrap=not column.folds,
                overflow="fold" if column.folds else "ellipsis",
            )
        for row in self._rows:
            made.add_row(*(styled(row[place]) for place in kept))
        return made

    def _stacked(self, kept: Sequence[int]) -> Iterator[Text]:
        first, *others = kept
        for row in self._rows:
            yield _unbroken(styled(row[first]))
            for place in others:
                if row[place]:
                    line = Text.assemble(f"  {self._columns[place].name}: ", styled(row[place]))
                    yield line if self._columns[place].gives_way else _unbroken(line)


def _unbroken(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _length(text: str) -> int:
    return max((cell_len(line) for line in text.split("\n")), default=0)


def styled(text: object) -> Text:
    """A cell: coloured if it is a state, and never parsed as markup."""
    return Text(clean("" if text is None else text), style=STYLES.get(str(text), ""))


def print_fields(console: Console, fields: Iterable[tuple[str, object]]) -> None:
    """A line for each field with a value. Long lines are wrapped by the terminal."""
    shown = [(name, value) for name, value in fields if value not in (None, "")]
    longest = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        console.print(Text.assemble(f"{name:<{longest}}  ", styled(value)), soft_wrap=True)
