"""The protocol of what keeps the labels of nodes that are part of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class NodeLabels(Protocol):
    name: str

    def put(self, node: str, labels: Mapping[str, str]) -> None:
        """Give a node its labels; the same again change nothing.

        Raises ``DriverUnavailable`` (try again) or ``DriverRefused`` (a final no).
        """
        ...
