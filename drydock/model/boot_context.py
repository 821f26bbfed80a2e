"""One deployment of one node: its key, its sealed bundles, its boot actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from drydock.model.boot_action import BootAction
from drydock.model.task import Task


class BundleKind(StrEnum):
    """Which assets a bundle holds; the values are asset types."""

    FILE = "file"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class BootContext:
    """``key_digest`` is SHA-256 of the node's key; the key itself is stored nowhere.

    ``packages``: what the boot actions install, package to version (None: any).
    """

    id: UUID
    node: str
    task_id: UUID
    key_digest: bytes = field(repr=False)
    created: datetime
    expires: datetime
    ended: datetime | None = None
    packages: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealedBundle:
    """A tarball under AES-256-GCM; ``size``: its length in bytes."""

    context_id: UUID
    kind: BundleKind
    sealed: bytes = field(repr=False)
    size: int


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A sealed bundle with what is needed to check a key and to open it. ``node``: its name as the design has it."""

    context_id: UUID
    node: str
    key_digest: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreparedBoot:
    """All that a node needs to boot, ready to be stored. ``events_digest``: SHA-256 of its installer's token.

    ``lifetime_seconds`` count from the moment it is stored; ``context.expires`` is not valid before. ``contents``: what
    is kept of its assets' contents, see ``bootaction/content_record.py``.
    """

    context: BootContext
    bundles: Sequence[SealedBundle]
    actions: Sequence[BootAction]
    events_digest: bytes = field(repr=False)
    lifetime_seconds: float
    contents: Mapping[str, Any]

    @property
    def size(self) -> int:
        """Bytes of all bundles."""
        return sum(len(bundle.sealed) for bundle in self.bundles)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A tarball as a machine receives it; ``etag`` is the SHA-256 (hex) of ``content``."""

    content: bytes = field(repr=False)
    etag: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """``task``: the one that made the boot context. ``revoked``: the key was since."""

    task: Task
    revoked: bool
