"""The text of a design for readers: as written, with comments and lines, but without its secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from drydock.design.secrecy import HIDDEN, SHOWN_OOB, is_secret_name, masked_text
from drydock.design.yaml_reader import MAX_DEPTH
from drydock.design.yaml_stream import plain_text
from drydock.errors import DesignInvalid

#: Deckhand schemas whose documents are secret as a whole, like those with an encrypted storagePolicy.
_SECRET_SCHEMA = re.compile(r"deckhand/(Passphrase|PrivateKey|CertificateKey|CertificateAuthorityKey)/")
_NO_VALUES = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentEndEvent)
_BODIES = ("data", "spec")
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n\r]*")
#: Characters that a double-quoted scalar must escape.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(slots=True)
class _About:
    """Result of a first pass over a document. ``anchors``: anchors that secret values refer to."""

    schema: str = ""
    kind: str = ""
    encrypted: bool = False
    anchors: set[str] = field(default_factory=set)

    @property
    def secret(self) -> bool:
        return self.encrypted or _SECRET_SCHEMA.match(self.schema) is not None

    @property
    def is_boot_action(self) -> bool:
        return self.kind == "BootAction" or self.schema.startswith("drydock/BootAction/")


@dataclass(slots=True)
class _Frame:
    mapping: bool
    hidden: bool
    key: str = ""
    wants_key: bool = False


class _Position:
    """Follows the events of one document."""

    def __init__(self, about: _About) -> None:
        self._about = about
        self._frames: list[_Frame] = []

    def values(self, event: Any) -> Iterator[tuple[tuple[str, ...], bool]]:
        """The path of the value that begins with this event, and whether it is secret; none for keys and ends."""
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._frames.pop()
            self._advance()
            return
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.wants_key:
            frame.key = event.value if isinstance(event, yaml.ScalarEvent) else ""
            hidden = frame.hidden
        else:
            path = tuple(item.key for item in self._frames)
            anchored = getattr(event, "anchor", None) in self._about.anchors and not isinstance(event, yaml.AliasEvent)
            hidden = (frame is not None and frame.hidden) or anchored or self._is_secret(path, event)
            yield path, hidden
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            mapping = isinstance(event, yaml.MappingStartEvent)
            if len(self._frames) >= MAX_DEPTH:
                raise yaml.YAMLError("nested too deep")
            self._frames.append(_Frame(mapping, hidden, wants_key=mapping))
        else:
            self._advance()

    def _advance(self) -> None:
        if self._frames and self._frames[-1].mapping:
            self._frames[-1].wants_key = not self._frames[-1].wants_key

    def _is_secret(self, path: tuple[str, ...], event: Any) -> bool:
        if not path:
            return False
        if path[0] in _BODIES:
            if self._about.secret:
                return True
            if path[1:2] == ("oob",) and len(path) == 3 and path[2] not in SHOWN_OOB:
                return True
            scalar = isinstance(event, yaml.ScalarEvent | yaml.AliasEvent)
            if self._about.is_boot_action and scalar and path[1:] == ("assets", "", "data"):
                return True
        return is_secret_name(path[-1])


def without_secrets(content: bytes) -> bytes:
    """Replaces passwords, tokens, private keys, parameters of BMC drivers, and inline data of boot actions.

    Raises ``DesignInvalid`` for unreadable text, which cannot be searched.
    """
    try:
        text = plain_text(content)
        abouts: list[_About] = []
        # Which anchors are secret depends on a document's schema, which may come last.
        for _ in range(2):
            _look(text.encode("utf-8"), abouts)
        return "".join(_pieces(text, abouts)).encode("utf-8")
    except (yaml.YAMLError, UnicodeError) as exc:
        raise DesignInvalid("the design cannot be read as YAML, so its secrets cannot be hidden") from exc


def _events(content: bytes) -> Iterator[Any]:
    parser = CParser(content)
    while (event := parser.get_event()) is not None:
        yield event


def _look(content: bytes, abouts: list[_About]) -> None:
    number = -1
    position = _Position(_About())
    for event in _events(content):
        if isinstance(event, yaml.DocumentStartEvent):
            number += 1
            if number == len(abouts):
                abouts.append(_About())
            position = _Position(abouts[number])
        elif not isinstance(event, _NO_VALUES):
            for path, hidden in position.values(event):
                _note(abouts[number], event, path, hidden=hidden)


def _note(about: _About, event: Any, path: tuple[str, ...], *, hidden: bool) -> None:
    if isinstance(event, yaml.AliasEvent):
        if hidden:
            about.anchors.add(str(event.anchor))
    elif isinstance(event, yaml.ScalarEvent):
        if path == ("schema",):
            about.schema = event.value
        elif path == ("kind",):
            about.kind = event.value
        elif path == ("metadata", "storagePolicy"):
            about.encrypted = event.value == "encrypted"


def _pieces(text: str, abouts: list[_About]) -> Iterator[str]:
    position = _Position(_About())
    at, number = 0, 0
    for event in _events(text.encode("utf-8")):
        if isinstance(event, yaml.DocumentStartEvent):
            position = _Position(abouts[number])
            number += 1
        elif not isinstance(event, _NO_VALUES):
            values = list(position.values(event))
            if isinstance(event, yaml.ScalarEvent):
                start, end = _span(event)
                yield _COMMENT.sub(lambda comment: masked_text(comment[0]), text[at:start])
                written = text[start:end]
                yield _scalar(event, written, hidden=values[0][1]) if values else written
                at = end
    yield _COMMENT.sub(lambda comment: masked_text(comment[0]), text[at:])


def _span(event: Any) -> tuple[int, int]:
    """Start and end, in characters."""
    return event.start_mark.index, event.end_mark.index


def _scalar(event: Any, written: str, *, hidden: bool) -> str:
    """The scalar as written, or masked if it holds a secret. Has as many lines as before."""
    shown = HIDDEN if hidden and event.value and event.value not in ("null", "~") else masked_text(event.value)
    if shown == event.value:
        return written
    quoted = json.dumps(shown, ensure_ascii=False)
    quoted = _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
    anchor = f"&{event.anchor} " if event.anchor else ""
    return anchor + quoted + "\n" * written.count("\n")
