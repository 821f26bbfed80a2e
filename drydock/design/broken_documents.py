"""Documents that were left out of a site because of an error."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from drydock.model.message import DocumentRef


@dataclass(frozen=True, slots=True)
class BrokenDocuments:
    """``unknown``: some text could not be read at all, so its documents are unknown."""

    documents: frozenset[DocumentRef] = frozenset()
    unknown: bool = False

    def __bool__(self) -> bool:
        return self.unknown or bool(self.documents)

    def explains(self, missing: DocumentRef) -> bool:
        """True if a document that seems to be missing may be one with an error."""
        return self.unknown or missing in self.documents

    @property
    def schemas(self) -> frozenset[str]:
        """Schemas of the documents."""
        return frozenset(found.schema for found in self.documents)

    def and_also(self, documents: Collection[DocumentRef]) -> BrokenDocuments:
        return BrokenDocuments(self.documents.union(documents), self.unknown)
