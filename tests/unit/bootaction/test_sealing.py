"""Sealed bundles."""

from __future__ import annotations

from uuid import UUID

import pytest

from drydock.bootaction.sealing import seal, unseal
from drydock.errors import SealBroken

CONTEXT = UUID(int=5)
KEY = bytes(range(32))
CONTENT = b"bundle " * 100


def sealed() -> bytes:
    return seal(KEY, context_id=CONTEXT, node="n1", kind="file", content=CONTENT)


def test_it_opens_again() -> None:
    assert unseal(KEY, context_id=CONTEXT, node="n1", kind="file", content=sealed()) == CONTENT


def test_nothing_of_it_is_seen_and_no_two_are_alike() -> None:
    first, second = sealed(), sealed()
    assert first != second
    assert b"bundle" not in first
    assert len(first) == len(CONTENT) + 12 + 16


@pytest.mark.parametrize(
    ("key", "context", "node", "kind"),
    [
        (bytes(32), CONTEXT, "n1", "file"),
        (KEY, UUID(int=6), "n1", "file"),
        (KEY, CONTEXT, "n2", "file"),
        (KEY, CONTEXT, "n1", "unit"),
        (KEY, CONTEXT, "n1f", "ile"),
    ],
)
def test_it_opens_for_nobody_else(key: bytes, context: UUID, node: str, kind: str) -> None:
    with pytest.raises(SealBroken):
        unseal(key, context_id=context, node=node, kind=kind, content=sealed())


def test_damage_is_seen() -> None:
    good = sealed()
    damaged = [good[:-1], good[:5], b"", good + b"x", bytes([good[0] ^ 1]) + good[1:], good[:20] + b"x" + good[21:]]
    for content in damaged:
        with pytest.raises(SealBroken, match="file bundle of n1"):
            unseal(KEY, context_id=CONTEXT, node="n1", kind="file", content=content)
