"""Groups nodes that ended for the same cause, to show one sentence for all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from drydock.client.watching import NodeProgress

#: Replaces the node's name in a text that several nodes share.
ITSELF = "NODE"
ID = "ID"
UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why ``nodes`` ended at ``step``."""

    step: str
    text: str
    nodes: tuple[str, ...]


def causes(ended: Iterable[NodeProgress]) -> list[Cause]:
    """Causes, the most frequent first. Texts that differ only by the node's name or a task id are one cause."""
    found: dict[tuple[str, str], list[NodeProgress]] = {}
    for node in sorted(ended, key=lambda node: node.name):
        found.setdefault(key_of(node), []).append(node)
    listed = [
        Cause(
            step, nodes[0].reason or nodes[0].outcome if len(nodes) == 1 else text, tuple(node.name for node in nodes)
        )
        for (step, text), nodes in found.items()
    ]
    return sorted(listed, key=lambda cause: -len(cause.nodes))


def key_of(node: NodeProgress) -> tuple[str, str]:
    """A key that is equal for nodes with the same cause."""
    named = rf"(?<![\w-]){re.escape(node.name)}(?![\w-])"
    return node.step, UUID.sub(ID, re.sub(named, ITSELF, node.reason or node.outcome))
