"""Documents that were left out of a site because of an error, and what their absence explains."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from drydock.model.message import DocumentRef


@dataclass(frozen=True, slots=True)
class Broken:
    """``unknown``: something could not be read at all, so that nobody can tell which documents it held."""

    documents: frozenset[DocumentRef] = frozenset()
    unknown: bool = False

    def __bool__(self) -> bool:
        return self.unknown or bool(self.documents)

    def explains(self, missing: DocumentRef) -> bool:
        """Whether a document that seems to be missing may be there, but broken."""
        return self.unknown or missing in self.documents

    @property
    def schemas(self) -> frozenset[str]:
        """Of the broken documents."""
        return frozenset(found.schema for found in self.documents)

    def and_also(self, documents: Collection[DocumentRef]) -> Broken:
        return Broken(self.documents.union(documents), self.unknown)
