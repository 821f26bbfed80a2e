"""Compiles a design's text to a site: runs every stage and collects the messages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from drydock.design import routedomains
from drydock.design.broken_documents import BrokenDocuments
from drydock.design.documents import SCHEMA, UNREADABLE, Document, DocumentSet, check_documents, unreadable
from drydock.design.effective import NodeCompiler
from drydock.design.kinds import BUILDERS
from drydock.design.messages import Messages, bounded
from drydock.design.rules.platform import PlatformSelection
from drydock.design.suspicions import suspicions
from drydock.design.targets import with_targets
from drydock.design.validation import NONE_BROKEN, validate
from drydock.design.yaml_stream import read_stream
from drydock.errors import DesignInvalid
from drydock.model.boot_asset import BootActionDesign
from drydock.model.message import DocumentRef, Level, ValidationMessage
from drydock.model.node import Node
from drydock.model.site import SiteDesign


@dataclass(frozen=True, slots=True)
class CompiledDesign:
    """The result for one text. ``site`` lacks ``broken`` documents. ``digest``: SHA-256 of the text. ``ours``: whether
    any document has a schema of Drydock's.
    """

    site: SiteDesign
    messages: tuple[ValidationMessage, ...]
    digest: str
    broken: BrokenDocuments = NONE_BROKEN
    ours: bool = True

    @property
    def valid(self) -> bool:
        return self.error_count == 0

    @property
    def no_design(self) -> bool:
        """True if the text has no document of ours, and is not only documents of other services."""
        return not self.ours and any(message.code in (UNREADABLE, SCHEMA) for message in self.messages)

    @property
    def error_count(self) -> int:
        return sum(1 for message in self.messages if message.error)


@dataclass(slots=True)
class _Parts:
    """The documents' records by kind, before anything is derived. Boot actions may share a name."""

    built: dict[str, dict[str, Any]] = field(default_factory=dict)
    boot_actions: list[Any] = field(default_factory=list)
    profiles: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    nodes: dict[str, Document] = field(default_factory=dict)
    messages: Messages = field(default_factory=Messages)
    broken: set[DocumentRef] = field(default_factory=set)

    def of(self, kind: str) -> Mapping[str, Any]:
        return MappingProxyType(self.built.get(kind, {}))


def compile_design(content: bytes) -> CompiledDesign:
    """Raises nothing: an invalid text compiles to messages."""
    return compile_texts({"": content})


def compile_texts(texts: Mapping[str, bytes]) -> CompiledDesign:
    """As ``compile_design``, for a design in several named texts; messages with line numbers name the text."""
    digest = hashlib.sha256(b"\n---\n".join(texts.values())).hexdigest()
    found = check_documents(*(read_stream(content, source) for source, content in texts.items()))
    site, messages, broken = compile_documents(found)
    messages = bounded((*messages, *validate(site, broken=broken)))
    return CompiledDesign(site, messages, digest, broken, ours=found.ours)


def at_site(design: CompiledDesign, platform: PlatformSelection) -> CompiledDesign:
    """The design with the result of the platform rule replaced, given what the provisioner offers."""
    fresh = bounded(validate(design.site, (platform,), design.broken))
    others = [message for message in design.messages if message.rule != platform.name]
    at = next((at for at, message in enumerate(design.messages) if message.rule == platform.name), len(others))
    return replace(design, messages=(*others[:at], *fresh, *others[at:]))


def compile_documents(found: DocumentSet) -> tuple[SiteDesign, tuple[ValidationMessage, ...], BrokenDocuments]:
    """The site of these documents, the messages from before the rules, and the documents left out."""
    parts = _build(found)
    broken = found.broken.and_also(parts.broken)
    networks = _with_routes(parts)
    nodes, complaints = _compile_nodes(parts, networks, broken)
    actions = _with_targets(parts, nodes)
    messages = (*found.messages, *parts.messages.result(), *complaints)
    lost = [document.ref for name, document in parts.nodes.items() if name not in nodes]
    site = SiteDesign(
        region=next(iter(reversed([*parts.of("Region").values()])), None),
        racks=parts.of("Rack"),
        network_links=parts.of("NetworkLink"),
        networks=networks,
        hardware_profiles=parts.of("HardwareProfile"),
        host_profiles=parts.of("HostProfile"),
        nodes=MappingProxyType(nodes),
        boot_actions=actions,
    )
    return site, messages, broken.and_also(lost)


def _build(found: DocumentSet) -> _Parts:
    parts = _Parts()
    for document in found.documents:
        parts.messages.extend(suspicions(document))
        if document.kind == "BaremetalNode":
            if _first(parts, document, parts.nodes):
                parts.nodes[document.name] = document
            continue
        try:
            record = BUILDERS[document.kind](document.name, document.data)
        except DesignInvalid as exc:
            parts.messages.add(unreadable(f"Error processing document: {exc.message}", document.ref))
            parts.broken.add(document.ref)
        else:
            _keep(parts, document, record)
    return parts


def _keep(parts: _Parts, document: Document, record: Any) -> None:
    """Of several documents with one name the first is used; of regions the last; of boot actions all."""
    by_name = parts.built.setdefault(document.kind, {})
    if document.kind == "Region":
        if by_name:
            _warn(parts, document, "there is more than one Region: the last one is used")
        by_name.pop(document.name, None)
        by_name[document.name] = record
    elif document.kind == "BootAction":
        _first(parts, document, by_name)
        by_name[document.name] = record
        parts.boot_actions.append(record)
    elif _first(parts, document, by_name):
        by_name[document.name] = record
        if document.kind == "HostProfile":
            parts.profiles[document.name] = document.data


def _first(parts: _Parts, document: Document, known: Iterable[str]) -> bool:
    if document.name not in known:
        return True
    which = "all of them are used" if document.kind == "BootAction" else "the first one is used"
    _warn(parts, document, f"there is more than one {document.kind} of this name: {which}")
    return False


def _warn(parts: _Parts, document: Document, text: str) -> None:
    message = f"{document.kind} {document.name}: {text}"
    parts.messages.add(unreadable(message, document.ref, level=Level.WARNING, rule="duplicate-name"))


def _with_routes(parts: _Parts) -> Mapping[str, Any]:
    try:
        return routedomains.expand(parts.of("Network"))
    except DesignInvalid as exc:
        parts.messages.add(unreadable(f"Error processing document: {exc.message}"))
        return parts.of("Network")


def _with_targets(parts: _Parts, nodes: Mapping[str, Node]) -> tuple[BootActionDesign, ...]:
    try:
        return with_targets(parts.boot_actions, nodes, parts.of("Rack"))
    except DesignInvalid as exc:
        parts.messages.add(unreadable(f"Error processing document: {exc.message}"))
        return ()


def _compile_nodes(
    parts: _Parts, networks: Mapping[str, Any], broken: BrokenDocuments
) -> tuple[dict[str, Node], tuple[ValidationMessage, ...]]:
    compiler = NodeCompiler(parts.profiles, parts.of("HardwareProfile"), networks, broken)
    nodes: dict[str, Node] = {}
    messages = Messages()
    for document in parts.nodes.values():
        node = compiler.compile(document)
        if node is not None:
            nodes[node.name] = node
    messages.extend(compiler.complaints())
    messages.extend(compiler.unusable_profiles())
    return nodes, messages.result()
