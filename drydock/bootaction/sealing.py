"""Bundles sealed under a key derived from the node's, so that a copy of the database reveals none of them."""

from __future__ import annotations

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from drydock.errors import SealBroken

_NONCE_BYTES = 12
_PURPOSE = b"drydock sealed bundle"


def seal(key: bytes, *, context_id: UUID, node: str, kind: str, content: bytes) -> bytes:
    """A random nonce, then AES-256-GCM of ``content``; context, node and kind are authenticated with it."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, content, _associated(context_id, node, kind))


def unseal(key: bytes, *, context_id: UUID, node: str, kind: str, content: bytes | memoryview) -> bytes:
    """What ``seal`` was given. Raises ``SealBroken`` unless all arguments are those it was sealed with."""
    nonce, sealed = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
    try:
        return _cipher(key).decrypt(nonce, sealed, _associated(context_id, node, kind))
    except (InvalidTag, ValueError):
        raise SealBroken(f"the {kind} bundle of {node} cannot be opened with this key") from None


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key))


def _associated(context_id: UUID, node: str, kind: str) -> bytes:
    # The zero byte keeps ("a", "bc") and ("ab", "c") apart; neither a node name nor a kind contains one.
    return context_id.bytes + node.encode() + b"\0" + kind.encode()
