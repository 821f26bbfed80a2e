"""Text becomes YAML documents, with line numbers and within bounds.

PyYAML's own C composer recurses in C, and a deeply nested text overflows its stack: the process dies. So the documents
are built here from libyaml's events, without recursion; scalars and merge keys mean what ``yaml.safe_load`` makes of
them. That is also faster, and the only way to see a duplicate key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.resolver import Resolver

MAX_DEPTH = 100
#: How many values aliases may stand for, all in all; a "billion laughs" needs more.
MAX_ALIASED_VALUES = 500_000
MAX_PROBLEMS = 200

_MAP, _SEQ, _STR, _MERGE = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "merge"))
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_MERGE_KEY = object()
_NO_KEY = object()
_SCALARS = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Problem:
    """``line`` and ``column`` count from 1. A mere suspicion has ``error`` False. ``source`` as for ``read_stream``."""

    text: str
    line: int
    column: int
    error: bool = True
    source: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({_place(self.source, self.line)}, column {self.column})"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    value: Any
    line: int
    problems: tuple[Problem, ...] = ()
    source: str = ""

    @property
    def place(self) -> str:
        """For a message: ``line 7``, or with the name of the file."""
        return _place(self.source, self.line)


@dataclass(frozen=True, slots=True)
class YamlStream:
    """``fatal``: why reading stopped early; the documents before it are complete."""

    documents: tuple[YamlDocument, ...]
    fatal: Problem | None = None


def read_stream(content: bytes, source: str = "") -> YamlStream:
    """All documents of a UTF-8 text, empty ones left out. Raises nothing: what is wrong is in the answer.

    ``source``: a name for the text, if it is one of several.
    """
    stream = _read(content)
    if not source:
        return stream
    return YamlStream(
        tuple(
            replace(found, source=source, problems=tuple(replace(item, source=source) for item in found.problems))
            for found in stream.documents
        ),
        None if stream.fatal is None else replace(stream.fatal, source=source),
    )


def _read(content: bytes) -> YamlStream:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as exc:
        return YamlStream((), _at_offset(content, exc.start, "not UTF-8 text"))
    reader = _Reader(content)
    try:
        reader.run()
    except yaml.reader.ReaderError as exc:
        fatal = _at_offset(content, exc.position, f"character not allowed in YAML: {exc.reason}")
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        text = ", ".join(part for part in (exc.context, exc.problem) if part)
        fatal = Problem(f"malformed YAML: {text}", mark.line + 1 if mark else 1, mark.column + 1 if mark else 1)
    except _StoppedError as exc:
        fatal = exc.problem
    else:
        return YamlStream(tuple(reader.documents))
    reader.abandon()
    return YamlStream(tuple(reader.documents), fatal)


def _place(source: str, line: int) -> str:
    return f"{source} line {line}" if source else f"line {line}"


def _at_offset(content: bytes, offset: int, text: str) -> Problem:
    before = content[:offset]
    return Problem(text, before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1)


class _StoppedError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


class _Sequence:
    __slots__ = ("anchor", "items", "started")

    def __init__(self, anchor: str | None, started: int) -> None:
        self.items: list[Any] = []
        self.anchor = anchor
        self.started = started

    def finish(self) -> list[Any]:
        return self.items


class _Mapping:
    __slots__ = ("anchor", "items", "key", "merges", "started")

    def __init__(self, anchor: str | None, started: int) -> None:
        self.items: dict[Any, Any] = {}
        self.key: Any = _NO_KEY
        self.merges: list[Mapping[Any, Any]] = []
        self.anchor = anchor
        self.started = started

    def finish(self) -> dict[Any, Any]:
        """Merged entries come first and lose against the mapping's own, as PyYAML has it."""
        if not self.merges:
            return self.items
        merged: dict[Any, Any] = {}
        for mapping in self.merges:
            merged.update(mapping)
        merged.update(self.items)
        return merged


@dataclass(slots=True)
class _Root:
    value: Any = None
    line: int = 1
    problems: list[Problem] = field(default_factory=list)
    repeated: Any = _NO_KEY


class _Reader:
    """Consumes events; ``_open`` holds the containers that are not closed yet, innermost last."""

    def __init__(self, content: bytes) -> None:
        self.documents: list[YamlDocument] = []
        self._parser = CParser(content)
        self._resolver = Resolver()
        self._plain: dict[str, Any] = {}
        self._root = _Root()
        self._open: list[_Sequence | _Mapping] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self._aliased = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start_mapping,
            yaml.SequenceStartEvent: self._start_sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._start_document,
            yaml.DocumentEndEvent: self._end_document,
            yaml.StreamStartEvent: lambda _event: None,
            yaml.StreamEndEvent: lambda _event: None,
        }

    def run(self) -> None:
        handlers, get_event = self._handlers, self._parser.get_event
        while (event := get_event()) is not None:
            handlers[type(event)](event)

    def abandon(self) -> None:
        """Keep what is already known to be wrong with the document that could not be read to its end."""
        if self._root.problems:
            self.documents.append(YamlDocument(None, self._root.line, tuple(self._root.problems)))

    def _start_document(self, event: Any) -> None:
        self._root = _Root(line=event.start_mark.line + 1)
        self._anchors = {}

    def _end_document(self, _event: Any) -> None:
        root = self._root
        if root.value is not None or root.problems:
            self.documents.append(YamlDocument(root.value, root.line, tuple(root.problems)))
        self._root = _Root()

    def _start_mapping(self, event: Any) -> None:
        self._start(event, _MAP, _Mapping(event.anchor, self._values))

    def _start_sequence(self, event: Any) -> None:
        self._start(event, _SEQ, _Sequence(event.anchor, self._values))

    def _start(self, event: Any, tag: str, container: _Sequence | _Mapping) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _StoppedError(_problem(event, f"nested deeper than {MAX_DEPTH} levels"))
        if event.tag not in (None, "!", tag):
            self._complain(event, f"tag {event.tag} is not supported")
        self._values += 1
        self._open.append(container)

    def _end(self, event: Any) -> None:
        container = self._open.pop()
        value = container.finish()
        if container.anchor:
            self._anchors[container.anchor] = (value, self._values - container.started)
        self._add(value, event)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._complain(event, f"alias *{event.anchor} refers to nothing, or to what contains it")
            value, size = None, 1
        else:
            value, size = self._anchors[event.anchor]
        self._values += size
        self._aliased += size
        if self._aliased > MAX_ALIASED_VALUES:
            raise _StoppedError(_problem(event, f"aliases stand for more than {MAX_ALIASED_VALUES} values"))
        self._add(value, event)

    def _scalar(self, event: Any) -> None:
        self._values += 1
        if event.tag is not None and event.tag != "!":
            value = event.value if event.tag == _STR else self._construct(event, event.tag)
        elif not event.implicit[0]:
            value = event.value
        else:
            value = self._plain.get(event.value, _NO_KEY)
            if value is _NO_KEY:
                value = self._plain_value(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._add(value, event)

    def _plain_value(self, event: Any) -> Any:
        tag = self._resolver.resolve(yaml.ScalarNode, event.value, (True, False))  # type: ignore[no-untyped-call]
        if tag == _STR:
            value = event.value
        elif tag == _MERGE:
            value = _MERGE_KEY
        else:
            value = self._construct(event, tag)
            if ":" in event.value and tag in _NUMBERS:
                # Not remembered, so that each place is told.
                text = f"{event.value:.60} is a number to YAML, to the base 60: put quotes around it"
                self._complain(event, text, error=False)
                return value
        self._plain[event.value] = value
        return value

    def _construct(self, event: Any, tag: str) -> Any:
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            value = SafeConstructor().construct_object(node)
        except yaml.MarkedYAMLError as exc:
            self._complain(event, str(exc.problem))
        except (ValueError, OverflowError, KeyError, IndexError, AttributeError) as exc:
            # NOTE: PyYAML lets these escape for texts such as 2017-13-45, 0b and !!bool maybe.
            self._complain(event, f"not a valid {tag.rpartition(':')[2]} value: {type(exc).__name__}")
        else:
            if isinstance(value, list | dict | set):
                self._complain(event, f"tag {tag} is not supported")
            return value
        return None

    def _add(self, value: Any, event: Any) -> None:
        if not self._open:
            self._root.value = None if value is _MERGE_KEY else value
            return
        container = self._open[-1]
        if type(container) is _Sequence:
            container.items.append("<<" if value is _MERGE_KEY else value)
        else:
            assert type(container) is _Mapping
            self._add_to_mapping(container, value, event)

    def _add_to_mapping(self, mapping: _Mapping, value: Any, event: Any) -> None:
        key = mapping.key
        if key is _NO_KEY:
            if value is not _MERGE_KEY:
                if not isinstance(value, _SCALARS):
                    self._complain(event, "a key must be a simple value")
                    value = repr(type(value))
                elif value in mapping.items:
                    self._duplicate(value, event)
            mapping.key = value
            return
        mapping.key = _NO_KEY
        if key is _MERGE_KEY:
            self._merge(mapping, value, event)
        else:
            mapping.items[key] = "<<" if value is _MERGE_KEY else value

    def _duplicate(self, key: Any, event: Any) -> None:
        """An error, but for a document's own keys: two documents run together when the line between them is lost.

        NOTE: every parser in use lets the last one win, and tools in the field write such documents. Said once, for
        the first key: the others follow from it.
        """
        if len(self._open) > 1:
            self._complain(event, f"duplicate key {key!r:.100}")
        elif self._root.repeated in (_NO_KEY, key):
            self._root.repeated = key
            text = f"duplicate key {key!r:.100}: the last one wins; a --- line is probably missing before it"
            self._complain(event, text, error=False)

    def _merge(self, mapping: _Mapping, value: Any, event: Any) -> None:
        sources = list(reversed(value)) if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self._complain(event, "<< wants a mapping or a list of mappings")
            return
        mapping.merges.extend(sources)

    def _complain(self, event: Any, text: str, *, error: bool = True) -> None:
        self._root.problems.append(_problem(event, text, error=error))
        if len(self._root.problems) >= MAX_PROBLEMS:
            raise _StoppedError(_problem(event, "too many faults; the rest was not read"))


def _problem(event: Any, text: str, *, error: bool = True) -> Problem:
    mark = event.start_mark
    return Problem(text, mark.line + 1, mark.column + 1, error)
