"""Checks YAML documents: namespace, kind, and data against the kind's schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeGuard

from drydock.design.broken_documents import BrokenDocuments
from drydock.design.doc_link import doc_link
from drydock.design.messages import MAX_NAME, Messages
from drydock.design.schemas import KINDS, validator, walk
from drydock.design.similar import did_you_mean
from drydock.design.yaml_document import Problem, YamlDocument, place
from drydock.design.yaml_places import Places
from drydock.design.yaml_stream import YamlStream
from drydock.model.message import DocumentRef, Level, ValidationMessage

NAMESPACE = "drydock"
VERSION = "v1"
UNREADABLE = "DD000"
SCHEMA = "DD001"
MAX_SCHEMA_ERRORS = 50
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document of ours. ``data`` is shared with the parsed text: never change it."""

    kind: str
    name: str
    data: Mapping[str, Any]
    line: int

    @property
    def ref(self) -> DocumentRef:
        return reference(self.kind, self.name)


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """``broken``: documents left out because of an error. ``ours``: whether any document has our schema."""

    documents: tuple[Document, ...]
    messages: tuple[ValidationMessage, ...]
    broken: BrokenDocuments
    ours: bool = True


def reference(kind: str, name: str) -> DocumentRef:
    return DocumentRef(f"{NAMESPACE}/{kind}/{VERSION}", name)


def unreadable(
    text: str, *documents: DocumentRef, level: Level = Level.ERROR, rule: str = "document"
) -> ValidationMessage:
    """DD000: unreadable text, or a document without a usable schema."""
    return ValidationMessage(UNREADABLE, rule, text, level, documents, doc_link(UNREADABLE, rule))


def check_documents(*streams: YamlStream) -> DocumentSet:
    """The documents of all the streams."""
    documents: list[Document] = []
    messages = Messages()
    broken: set[DocumentRef] = set()
    unknown = ours = False
    for stream in streams:
        places = Places(stream.content)
        for found in stream.documents:
            document, complaints = _check(found, places)
            messages.extend(complaints)
            faulty = any(message.error for message in complaints)
            ours |= document is not None
            if document is None:
                unknown |= faulty
            elif faulty:
                broken.add(document.ref)
            else:
                documents.append(document)
        messages.extend(_error(str(fault)) for fault in stream.faults)
        unknown |= bool(stream.faults)
        ours |= any(schema.startswith(f"{NAMESPACE}/") for schema in stream.schemas)
    return DocumentSet(tuple(documents), messages.result(), BrokenDocuments(frozenset(broken), unknown), ours)


def _check(found: YamlDocument, places: Places) -> tuple[Document | None, list[ValidationMessage]]:
    """The document if it is one of ours (even an invalid one), and its messages."""
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
    if not _is_name(name):
        nameless = Document(envelope.kind, "", envelope.data, found.line)
        fault = f"metadata.name must be a string of 1 to {MAX_NAME} characters, none of them a control character"
        return nameless, [*_problems(found.problems), _error(f"{fault}, at {found.place}")]
    ref = DocumentRef(envelope.schema, name)
    document = Document(envelope.kind, name, envelope.data, found.line)
    if envelope.kind not in KINDS or envelope.version != VERSION:
        hint = "" if envelope.kind in KINDS else did_you_mean(envelope.kind, KINDS)
        text = f"Invalid document - Kind {envelope.kind:.100} and Version {envelope.version:.100}{hint}"
        return document, [*_problems(found.problems, ref), _error(text, ref)]
    return document, [*_problems(found.problems, ref), *_schema_messages(found, envelope, ref, places)]


def _is_name(name: Any) -> TypeGuard[str]:
    return isinstance(name, str) and 1 <= len(name) <= MAX_NAME and not _CONTROL.search(name)


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The document without its data, from either form."""

    namespace: str
    kind: str
    version: str
    data: Any
    key: str

    @property
    def schema(self) -> str:
        return f"{self.namespace}/{self.kind}/{self.version}"


def _envelope(value: Mapping[str, Any]) -> _Envelope | None:
    """Deckhand's form (schema, data), or else the legacy one (apiVersion, kind, spec), whose version is ignored."""
    schema = value.get("schema")
    parts = schema.split("/") if isinstance(schema, str) else []
    if len(parts) == 3:
        return _Envelope(parts[0], parts[1], parts[2], value.get("data", []), "data")
    version, kind = value.get("apiVersion"), value.get("kind")
    if "schema" in value or not isinstance(version, str) or "/" not in version:
        return None
    return _Envelope(version.partition("/")[0], str(kind), VERSION, value.get("spec", []), "spec")


def _error(text: str, *documents: DocumentRef) -> ValidationMessage:
    return unreadable(f"Error processing document: {text}", *documents)


def _problems(problems: Sequence[Problem], *documents: DocumentRef) -> Iterator[ValidationMessage]:
    for problem in problems:
        if problem.error:
            yield _error(str(problem), *documents)
        else:
            yield unreadable(f"Suspicious document: {problem}", *documents, level=Level.WARNING, rule="suspicious")


def _schema_messages(
    found: YamlDocument, envelope: _Envelope, ref: DocumentRef, places: Places
) -> Iterator[ValidationMessage]:
    kind = envelope.kind
    if _is_valid(kind, envelope.data):
        return
    faults = list(islice(walk(kind).faults(envelope.data), MAX_SCHEMA_ERRORS + 1))
    shown = faults[:MAX_SCHEMA_ERRORS]
    paths = [(envelope.key, *fault.place) for fault in shown]
    lines = places.lines(found.line, paths)
    wheres = [place(found.source, lines.get(path, found.line)) for path in paths]
    texts = [f"{fault} ({where})" for fault, where in zip(shown, wheres, strict=True)] or ["it is invalid"]
    if len(faults) > MAX_SCHEMA_ERRORS:
        texts.append(f"the document has more than {MAX_SCHEMA_ERRORS} errors; no more of them are shown")
    for text in texts:
        message = f"{kind}:{VERSION} schema validation error: {text}"
        yield ValidationMessage(SCHEMA, "schema", message, Level.ERROR, (ref,), doc_link(SCHEMA, "schema"))


def _is_valid(kind: str, data: Any) -> bool:
    try:
        return validator(kind).is_valid(data)
    except ValueError:
        # Data that JSON cannot express, such as a number as a key.
        return False
