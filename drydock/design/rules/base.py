"""What a rule is: one thing that must hold in a site, with a stable code."""

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
    """``missing``: the document that does not exist, if that is what the finding is about. ``kinds``: those that it
    found none, or too few of. While such documents are there but broken, the finding is not told.

    ``node``: whom it is about, with ``NODE`` in its place in the text. Findings that differ in their nodes only become
    one message: what many inherit is one fault. ``documents``: beside the node's own.
    """

    level: Level
    text: str
    documents: tuple[DocumentRef, ...] = ()
    diagnostic: str = ""
    missing: DocumentRef | None = None
    kinds: tuple[str, ...] = ()
    node: str = ""


class Rule(Protocol):
    """``code`` is the field's and may stand for two rules; ``name`` is unique; ``long_name`` prefixes each message."""

    code: ClassVar[str]
    name: ClassVar[str]
    long_name: ClassVar[str]

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        """Everything wrong or suspicious, in document order. Raises nothing, whatever the site says."""
        ...


def document(kind: str, name: str) -> DocumentRef:
    return DocumentRef(schema(kind), name)


def schema(kind: str) -> str:
    return f"drydock/{kind}/v1"
