"""Composes YAML documents from libyaml's events, with line numbers and within bounds.

PyYAML's own composer recurses in C, and a deeply nested text overflows its stack: the process dies. So the documents
are built here from events, without recursion; scalars and merge keys have the values of ``yaml.safe_load``. That
is also faster, and the only way to see a duplicate key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.resolver import Resolver

from drydock.design.messages import cut
from drydock.design.secrecy import is_secret_name
from drydock.design.yaml_document import Fault, Problem, YamlDocument
from drydock.design.yaml_scalars import (
    FLOAT,
    INT,
    MAP,
    MAX_KEY,
    MERGE,
    SEQ,
    STR,
    ScalarRefusedError,
    convert,
    invisible,
    unfit_for_key,
)

MAX_DEPTH = 100
#: Maximum number of values that aliases expand to; a "billion laughs" needs more.
MAX_ALIASED_VALUES = 500_000
MAX_PROBLEMS = 200
#: Maximum number of values of one text, with aliased ones counted each time.
MAX_VALUES = 5_000_000
#: Maximum number of values of one list, or keys of one mapping: more than any schema allows.
MAX_ITEMS = 100_000
_MAX_TEXT = 300
_NUMBERS = frozenset({INT, FLOAT})
_MERGE_KEY = object()
_NO_KEY = object()
_SCALARS = (str, int, float, bool, type(None))


class _StoppedError(Exception):
    def __init__(self, problem: Problem, *, final: bool) -> None:
        super().__init__(problem.text)
        self.problem = problem
        self.final = final


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
        """Merged entries come first and are overridden by the mapping's own, as in PyYAML."""
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


class Reader:
    """Consumes events; ``_open`` holds the open containers, innermost last."""

    def __init__(self, content: bytes, source: str = "", *, lines: int = 0, values: int = 0, aliased: int = 0) -> None:
        """``source`` and the ``lines`` before ``content`` are for messages; ``values`` were read before it, of
        which ``aliased`` through aliases.
        """
        self.documents: list[YamlDocument] = []
        self._content = content
        self._source = source
        self._lines = lines
        self._document = 0
        self._parser = CParser(content)
        self._resolver = Resolver()
        self._plain: dict[str, Any] = {}
        self._root = _Root()
        self._open: list[_Sequence | _Mapping] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = values
        self._aliased = aliased
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

    def following(self, content: bytes, lines: int) -> Reader:
        """A reader for the text after a fault, under the same limits."""
        return Reader(content, self._source, lines=lines, values=self._values, aliased=self._aliased)

    def read(self) -> Fault | None:
        """Read until the end, or until a fault; documents completed before it are kept."""
        final = True
        try:
            self._run()
        except yaml.reader.ReaderError as exc:
            text = f"character not allowed in YAML: {exc.reason}"
            problem = Problem.at_offset(self._content, exc.position, text, self._source, self._lines)
        except yaml.MarkedYAMLError as exc:
            problem, final = self._malformed(exc), False
        except _StoppedError as exc:
            problem, final = exc.problem, exc.final
        else:
            return None
        if self._root.problems:
            # Keep the problems already found in the document that could not be read to its end.
            self._finish(None)
        return Fault(problem, self._document, final, self._schema())

    def _schema(self) -> str:
        """The schema of the unreadable document, if it was read before the fault."""
        root = self._open[0] if self._open else None
        items = root.items if isinstance(root, _Mapping) else {}
        return str(items.get("schema") or items.get("apiVersion") or "")

    def _run(self) -> None:
        handlers, get_event = self._handlers, self._parser.get_event
        while (event := get_event()) is not None:
            handlers[type(event)](event)

    def _malformed(self, exc: yaml.MarkedYAMLError) -> Problem:
        mark = exc.problem_mark or exc.context_mark
        context = exc.context
        if context and exc.context_mark and mark and exc.context_mark.line != mark.line:
            # An opening bracket may be far away from the place of the missing closing one.
            context += f" that begins at line {self._lines + exc.context_mark.line + 1}"
        text = ", ".join(part for part in (context, exc.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Problem(f"malformed YAML: {text:.{_MAX_TEXT}}", self._lines + line, column, source=self._source)

    def _start_document(self, event: Any) -> None:
        self._root = _Root(line=self._lines + event.start_mark.line + 1)
        self._document = event.start_mark.index
        self._anchors = {}

    def _end_document(self, event: Any) -> None:
        root = self._root
        if root.value is not None or root.problems:
            self._finish(root.value)
        self._root = _Root()
        self._document = event.end_mark.index

    def _finish(self, value: Any) -> None:
        root = self._root
        self.documents.append(YamlDocument(value, root.line, tuple(root.problems), self._source))

    def _start_mapping(self, event: Any) -> None:
        self._start(event, MAP, _Mapping(event.anchor, self._values))

    def _start_sequence(self, event: Any) -> None:
        self._start(event, SEQ, _Sequence(event.anchor, self._values))

    def _start(self, event: Any, tag: str, container: _Sequence | _Mapping) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _StoppedError(self._problem(event, f"nested deeper than {MAX_DEPTH} levels"), final=False)
        if event.tag not in (None, "!", tag):
            self._complain(event, f"tag {event.tag:.100} is not supported")
        self._count(event, 1)
        self._open.append(container)

    def _end(self, event: Any) -> None:
        container = self._open.pop()
        value = container.finish()
        if container.anchor:
            self._anchors[container.anchor] = (value, self._values - container.started)
        self._add(value, event)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._complain(event, f"alias *{event.anchor:.100} has no anchor before it, or is inside its own anchor")
            value, size = None, 1
        else:
            value, size = self._anchors[event.anchor]
        self._count(event, size)
        self._aliased += size
        if self._aliased > MAX_ALIASED_VALUES:
            text = f"aliases expand to more than {MAX_ALIASED_VALUES} values"
            raise _StoppedError(self._problem(event, text), final=True)
        self._add(value, event)

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise _StoppedError(self._problem(event, f"more than {MAX_VALUES} values"), final=True)

    def _scalar(self, event: Any) -> None:
        self._count(event, 1)
        if not event.value.isascii():
            for text in invisible(event, self._shown(event)):
                self._complain(event, text, error=False)
        if event.style == '"' and "\0" in event.value:
            self._complain(event, "a value with the character U+0000")
        if event.tag is not None and event.tag != "!":
            value = event.value if event.tag == STR else self._construct(event, event.tag)
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
        if tag == STR:
            value = event.value
        elif tag == MERGE:
            value = _MERGE_KEY
        else:
            value = self._construct(event, tag)
            if ":" in event.value and tag in _NUMBERS:
                # Not cached, so that each occurrence is reported.
                text = f"{self._shown(event)} is a number to YAML, to the base 60: put quotes around it"
                self._complain(event, text, error=False)
                return value
        self._plain[event.value] = value
        return value

    def _construct(self, event: Any, tag: str) -> Any:
        try:
            return convert(event, tag, self._shown(event))
        except ScalarRefusedError as exc:
            self._complain(event, str(exc))
            return None

    def _shown(self, event: Any) -> str:
        """The beginning of a scalar, unless its key may be a password's."""
        container = self._open[-1] if self._open else None
        key = container.key if isinstance(container, _Mapping) else None
        return "the value" if isinstance(key, str) and is_secret_name(key) else cut(event.value, 60)

    def _add(self, value: Any, event: Any) -> None:
        if not self._open:
            self._root.value = None if value is _MERGE_KEY else value
            return
        container = self._open[-1]
        if type(container) is _Sequence:
            container.items.append("<<" if value is _MERGE_KEY else value)
            if len(container.items) > MAX_ITEMS:
                raise _StoppedError(self._problem(event, f"a list of more than {MAX_ITEMS} values"), final=False)
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
                elif unfit_for_key(value):
                    self._complain(event, f"a key with control characters, or of more than {MAX_KEY} characters")
            mapping.key = value
            return
        mapping.key = _NO_KEY
        if key is _MERGE_KEY:
            self._merge(mapping, value, event)
        else:
            mapping.items[key] = "<<" if value is _MERGE_KEY else value
            if len(mapping.items) > MAX_ITEMS:
                raise _StoppedError(self._problem(event, f"a mapping of more than {MAX_ITEMS} keys"), final=False)

    def _duplicate(self, key: Any, event: Any) -> None:
        """An error, but a warning for a document's own keys: a lost --- line joins two documents.

        NOTE: every parser in use lets the last one win, and existing tools write such documents. Reported once, for
        the first key, as the others follow from it.
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
            self._complain(event, "<< needs a mapping or a list of mappings")
            return
        mapping.merges.extend(sources)

    def _complain(self, event: Any, text: str, *, error: bool = True) -> None:
        self._root.problems.append(self._problem(event, text, error=error))
        if len(self._root.problems) >= MAX_PROBLEMS:
            raise _StoppedError(
                self._problem(event, "too many faults; the rest of the document was not read"), final=False
            )

    def _problem(self, event: Any, text: str, *, error: bool = True) -> Problem:
        mark = event.start_mark
        return Problem(f"{text:.{_MAX_TEXT}}", self._lines + mark.line + 1, mark.column + 1, error, self._source)
