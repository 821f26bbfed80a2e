"""DD3001: the provisioner has the image and the kernel of each node."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import ClassVar

from drydock.design.rules.base import NODE, Finding
from drydock.model.message import Level
from drydock.model.site import SiteDesign


class PlatformSelection:
    code: ClassVar[str] = "DD3001"
    name: ClassVar[str] = "platform-selection"
    long_name: ClassVar[str] = "Platform Selection"

    def __init__(
        self,
        images: Mapping[str, Collection[str]] | None = None,
        *,
        unanswered: str = "",
        unchecked: str = "no provisioner was asked",
    ) -> None:
        """``images``: what the provisioner offers, each with its kernels; None if unknown, for the reason
        ``unchecked``, or if it gave no answer, for the reason ``unanswered``.
        """
        self._images = images
        self._unanswered = unanswered
        self._unchecked = unchecked

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        if self._images is None:
            # Information, not a warning: whether a provisioner is reachable does not change the design's validity.
            level = Level.WARNING if self._unanswered else Level.INFO
            reason = self._unanswered or self._unchecked
            yield Finding(level, f"Images and kernels were not checked: {reason}.")
            return
        for node in site.nodes.values():
            if node.image is None:
                continue
            if node.image not in self._images:
                text = f"Platform Validation: invalid image {node.image} on BaremetalNode {NODE}"
                yield Finding(Level.ERROR, text, diagnostic=_offer(self._images), node=node.name)
            elif node.kernel is not None and node.kernel not in self._images[node.image]:
                text = f"Platform Validation: invalid kernel {node.kernel} on BaremetalNode {NODE}"
                yield Finding(Level.ERROR, text, diagnostic=_offer(self._images[node.image]), node=node.name)


def _offer(names: Collection[str]) -> str:
    return f"The provisioner offers: {', '.join(sorted(names)) or 'nothing'}."[:500]
