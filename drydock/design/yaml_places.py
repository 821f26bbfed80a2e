"""Finds line numbers of values by reading the text a second time, only after an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

Path = tuple[str | int, ...]


class Places:
    """Line numbers in one text, whose documents must be queried in order."""

    def __init__(self, content: bytes) -> None:
        self._events = _events(content)

    def lines(self, document: int, wanted: Iterable[Path]) -> Mapping[Path, int]:
        """The lines, from 1, of values or keys in the document that begins at line ``document``; of the container if
        a value is not found, such as one behind an alias; none for unreadable text.
        """
        paths = set(wanted)
        enclosing = {path[:length] for path in paths for length in range(len(path) + 1)}
        found: dict[Path, int] = {}
        for path, at in self._document(document):
            if path in enclosing:
                found.setdefault(path, at)
        return {path: line for path in paths if (line := _nearest(path, found)) is not None}

    def _document(self, line: int) -> Iterator[tuple[Path, int]]:
        for event in self._events:
            if type(event) is yaml.DocumentStartEvent and _line(event) >= line:
                break
        cursor = _Cursor()
        for event in self._events:
            if type(event) is yaml.DocumentEndEvent:
                return
            yield from cursor.places(event)


def _nearest(path: Path, found: Mapping[Path, int]) -> int | None:
    return next((found[path[:end]] for end in range(len(path), 0, -1) if path[:end] in found), None)


def _events(content: bytes) -> Iterator[Any]:
    parser = CParser(content)
    try:
        while (event := parser.get_event()) is not None:
            yield event
    except yaml.YAMLError:
        return


def _line(event: Any) -> int:
    line: int = event.start_mark.line + 1
    return line


class _Cursor:
    """Follows the events of one document. ``_open``: the key or index of the next value, per container."""

    def __init__(self) -> None:
        self._open: list[_Container] = []

    def places(self, event: Any) -> Iterator[tuple[Path, int]]:
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop()
            self._advance()
            return
        if self._open and self._open[-1].wants_key:
            if type(event) is yaml.ScalarEvent:
                self._open[-1].key = event.value
                yield self._path(), _line(event)
        elif self._open:
            yield self._path(), _line(event)
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open.append(_Container(mapping=isinstance(event, yaml.MappingStartEvent)))
        else:
            self._advance()

    def _path(self) -> Path:
        return tuple(container.key for container in self._open)

    def _advance(self) -> None:
        if not self._open:
            return
        container = self._open[-1]
        if not container.mapping:
            container.key = int(container.key) + 1
        else:
            container.wants_key = not container.wants_key


class _Container:
    __slots__ = ("key", "mapping", "wants_key")

    def __init__(self, *, mapping: bool) -> None:
        self.mapping = mapping
        self.wants_key = mapping
        self.key: str | int = "" if mapping else 0
