"""Sealed bundles."""

from __future__ import annotations

import hashlib
import os
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from drydock.bootaction.sealing import VERSION, seal, unseal
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


def before_versions(*, nonce: bytes, hkdf: bool) -> bytes:
    """As the two releases before wrote it."""
    if hkdf:
        derived = HKDF(SHA256(), 32, salt=None, info=b"drydock sealed bundle").derive(KEY)
    else:
        derived = hashlib.blake2b(key=KEY, person=b"drydock bundle", digest_size=32).digest()
    return nonce + AESGCM(derived).encrypt(nonce, CONTENT, CONTEXT.bytes + b"n1\0file")


@pytest.mark.parametrize("first", [0, 1, 2, 255])
@pytest.mark.parametrize("hkdf", [False, True])
def test_what_earlier_releases_stored_is_still_read(first: int, *, hkdf: bool) -> None:
    old = before_versions(nonce=bytes([first]) + os.urandom(11), hkdf=hkdf)
    assert unseal(KEY, context_id=CONTEXT, node="n1", kind="file", content=old) == CONTENT


def test_what_is_stored_has_its_version_and_the_release_before_reads_it() -> None:
    content = sealed()
    assert content[0] == VERSION
    derived = hashlib.blake2b(key=KEY, person=b"drydock bundle", digest_size=32).digest()
    assert AESGCM(derived).decrypt(content[:12], content[12:], CONTEXT.bytes + b"n1\0file") == CONTENT
