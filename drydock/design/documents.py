"""YAML documents become checked documents: the right namespace, a known kind, data that fits the kind's schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from drydock.design.broken import Broken
from drydock.design.read_on import read_on
from drydock.design.schemas import KINDS, validator
from drydock.design.yaml_document import Problem, YamlDocument
from drydock.design.yaml_stream import YamlStream
from drydock.model.message import DocumentRef, Level, ValidationMessage

NAMESPACE = "drydock"
VERSION = "v1"
UNREADABLE = "DD000"
SCHEMA = "DD001"
MAX_SCHEMA_ERRORS = 50


@dataclass(frozen=True, slots=True)
class Document:
    """A document of ours that fits its schema. ``data`` is shared with the parsed text: never change it."""

    kind: str
    name: str
    data: Mapping[str, Any]
    line: int

    @property
    def ref(self) -> DocumentRef:
        return reference(self.kind, self.name)


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """``broken``: what was left out because of an error."""

    documents: tuple[Document, ...]
    messages: tuple[ValidationMessage, ...]
    broken: Broken


def reference(kind: str, name: str) -> DocumentRef:
    return DocumentRef(f"{NAMESPACE}/{kind}/{VERSION}", name)


def unreadable(
    text: str, *documents: DocumentRef, level: Level = Level.ERROR, rule: str = "document"
) -> ValidationMessage:
    """DD000: what no schema tells, or a text that cannot be read at all."""
    return ValidationMessage(UNREADABLE, rule, text, level, documents, read_on(UNREADABLE, rule))


def check_documents(*streams: YamlStream) -> DocumentSet:
    """The documents of all the streams."""
    documents: list[Document] = []
    messages: list[ValidationMessage] = []
    broken: set[DocumentRef] = set()
    unknown = False
    for stream in streams:
        for found in stream.documents:
            document, complaints = _check(found)
            messages += complaints
            faulty = any(message.error for message in complaints)
            if document is None:
                unknown |= faulty
            elif faulty:
                broken.add(document.ref)
            else:
                documents.append(document)
        messages += (_error(str(fault)) for fault in stream.faults)
        unknown |= bool(stream.faults)
    return DocumentSet(tuple(documents), tuple(messages), Broken(frozenset(broken), unknown))


def _check(found: YamlDocument) -> tuple[Document | None, list[ValidationMessage]]:
    """The document if it is one of ours (even a faulty one), and what is to be said about it."""
    if not isinstance(found.value, Mapping):
        text = "not a mapping" if found.value is not None else "not readable"
        return None, [*_problems(found.problems), _error(f"the document at {found.place} is {text}")]
    envelope = _envelope(found.value)
    if envelope is None:
        text = f"The document at {found.place} has no schema of the form namespace/Kind/version and is ignored."
        return None, [*_problems(found.problems), unreadable(text, level=Level.WARNING)]
    if envelope.namespace != NAMESPACE:
        return None, []
    metadata = found.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(name, str) or not name:
        nameless = Document(envelope.kind, "", envelope.data, found.line)
        return nameless, [*_problems(found.problems), _error(f"metadata.name must be a string, at {found.place}")]
    ref = DocumentRef(envelope.schema, name)
    document = Document(envelope.kind, name, envelope.data, found.line)
    if envelope.kind not in KINDS or envelope.version != VERSION:
        text = f"Invalid document - Kind {envelope.kind:.100} and Version {envelope.version:.100}"
        return document, [*_problems(found.problems, ref), _error(text, ref)]
    return document, [*_problems(found.problems, ref), *_schema_messages(document, ref)]


@dataclass(frozen=True, slots=True)
class _Envelope:
    """What is around the data, in either form."""

    namespace: str
    kind: str
    version: str
    data: Any

    @property
    def schema(self) -> str:
        return f"{self.namespace}/{self.kind}/{self.version}"


def _envelope(value: Mapping[str, Any]) -> _Envelope | None:
    """Deckhand's form (schema, data), or else the legacy one (apiVersion, kind, spec), whose version means nothing."""
    schema = value.get("schema")
    parts = schema.split("/") if isinstance(schema, str) else []
    if len(parts) == 3:
        return _Envelope(parts[0], parts[1], parts[2], value.get("data", []))
    version, kind = value.get("apiVersion"), value.get("kind")
    if "schema" in value or not isinstance(version, str) or "/" not in version:
        return None
    return _Envelope(version.partition("/")[0], str(kind), VERSION, value.get("spec", []))


def _error(text: str, *documents: DocumentRef) -> ValidationMessage:
    return unreadable(f"Error processing document: {text}", *documents)


def _problems(problems: Sequence[Problem], *documents: DocumentRef) -> Iterator[ValidationMessage]:
    for problem in problems:
        if problem.error:
            yield _error(str(problem), *documents)
        else:
            yield unreadable(f"Suspicious document: {problem}", *documents, level=Level.WARNING, rule="suspicious")


def _schema_messages(document: Document, ref: DocumentRef) -> Iterator[ValidationMessage]:
    try:
        errors = [_schema_text(error) for error in validator(document.kind).iter_errors(document.data)]
    except ValueError:
        # Something JSON does not know, such as a date or a number as a key.
        errors = list(_not_json(document.data, ()))
    for text in errors[:MAX_SCHEMA_ERRORS]:
        message = f"{document.kind}:{VERSION} schema validation error: {text}"
        yield ValidationMessage(SCHEMA, "schema", message, Level.ERROR, (ref,), read_on(SCHEMA, "schema"))


def _schema_text(error: jsonschema_rs.ValidationError) -> str:
    """The library's text, but with no whole subtree in it, and nothing that may be a credential."""
    message, path = error.message, error.instance_path
    if "oob" in path or (isinstance(error.instance, Mapping | list) and "is not of type" in message and error.instance):
        message = "the value" + message[message.find(" is not ") :] if " is not " in message else "invalid value"
    return f"{_dotted(path)}{message:.300}"


def _dotted(path: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return f"{text.lstrip('.')}: " if text else ""


def _not_json(value: Any, path: tuple[str | int, ...]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _not_json(item, (*path, key))
            else:
                yield f"{_dotted(path)}the key {key!s:.100} is not of type 'string': put it in quotes"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _not_json(item, (*path, index))
    elif not isinstance(value, str | int | float | None):
        yield f"{_dotted(path)}a {type(value).__name__} is not of type 'string': put it in quotes"
