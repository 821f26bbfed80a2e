"""Base of rules: one requirement on a site, with a stable code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from drydock.model.message import DocumentRef, Level
from drydock.model.site import SiteDesign

#: Stands for the names of nodes in the text of a finding. No design has this character.
NODE = "\0"


@dataclass(frozen=True, slots=True)
class Finding:
    """``missing``: the missing document, if the finding is about one. ``kinds``: kinds of documents of which there
    are none or too few. The finding is suppressed while such documents exist but are broken.

    ``node``: the node concerned, written as ``NODE`` in the text. Findings that differ only in their nodes become
    one message. ``documents``: documents concerned, apart from the node's own.
    """

    level: Level
    text: str
    documents: tuple[DocumentRef, ...] = ()
    diagnostic: str = ""
    missing: DocumentRef | None = None
    kinds: tuple[str, ...] = ()
    node: str = ""


class Rule(Protocol):
    """``code`` is upstream's and may stand for two rules; ``name`` is unique; ``long_name`` prefixes each message."""

    code: ClassVar[str]
    name: ClassVar[str]
    long_name: ClassVar[str]

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        """All errors and warnings, in document order. Raises nothing for any site."""
        ...


def document(kind: str, name: str) -> DocumentRef:
    return DocumentRef(schema(kind), name)


def schema(kind: str) -> str:
    return f"drydock/{kind}/v1"
