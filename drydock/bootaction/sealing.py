"""Bundles sealed under a key derived from the node's, so that a copy of the database reveals none of them."""

from __future__ import annotations

import hashlib
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drydock.errors import SealBroken

_NONCE_BYTES = 12
_PURPOSE = b"drydock bundle"


def seal(key: bytes, *, context_id: UUID, node: str, kind: str, content: bytes) -> bytes:
    """A random nonce, then AES-256-GCM of ``content``; context, node and kind are authenticated with it."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, content, _associated(context_id, node, kind))


def unseal(key: bytes, *, context_id: UUID, node: str, kind: str, content: bytes) -> bytes:
    """What ``seal`` was given. Raises ``SealBroken`` unless all arguments are those it was sealed with."""
    try:
        return _cipher(key).decrypt(
            content[:_NONCE_BYTES], memoryview(content)[_NONCE_BYTES:], _associated(context_id, node, kind)
        )
    except (InvalidTag, ValueError):
        raise SealBroken(f"the {kind} bundle of {node} cannot be opened with this key") from None


def _cipher(key: bytes) -> AESGCM:
    # NOTE: the node's key is uniformly random: a keyed hash with a purpose derives from it all that HKDF would, as
    # libsodium's crypto_kdf does. HKDF took longer than opening a bundle of 4 KiB.
    return AESGCM(hashlib.blake2b(key=key, person=_PURPOSE, digest_size=32).digest())


def _associated(context_id: UUID, node: str, kind: str) -> bytes:
    # The zero byte keeps ("a", "bc") and ("ab", "c") apart; neither a node name nor a kind contains one.
    return context_id.bytes + node.encode() + b"\0" + kind.encode()
