"""Seals bundles under a key derived from the node's, so that a copy of the database does not reveal them.

    version (1 byte) | random (11 bytes) | AES-256-GCM of the tarball, with its tag

The first twelve bytes are the nonce, so that readers from before there were versions can open it too. Bundles of that
time begin with twelve random bytes. A new version is read for one release before it is written: API processes of both
releases serve what workers of both have stored (docs/development/compatibility.md).
"""

from __future__ import annotations

import hashlib
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from drydock.errors import SealBroken

#: The version that is written.
VERSION = 1
_NONCE_BYTES = 12
_PURPOSE = b"drydock bundle"


def seal(key: bytes, *, context_id: UUID, node: str, kind: str, content: bytes) -> bytes:
    """``content`` under a key that is derived from the node's; context, node and kind are authenticated with it."""
    nonce = bytes([VERSION]) + os.urandom(_NONCE_BYTES - 1)
    return nonce + _key_of_version_1(key).encrypt(nonce, content, _associated(context_id, node, kind))


def unseal(key: bytes, *, context_id: UUID, node: str, kind: str, content: bytes) -> bytes:
    """What ``seal`` was given. Raises ``SealBroken`` unless all arguments are those it was sealed with."""
    nonce, sealed = content[:_NONCE_BYTES], memoryview(content)[_NONCE_BYTES:]
    associated = _associated(context_id, node, kind)
    for derive in (_key_of_version_1, _key_before_versions):
        try:
            return derive(key).decrypt(nonce, sealed, associated)
        except (InvalidTag, ValueError):
            continue
    raise SealBroken(f"the {kind} bundle of {node} cannot be opened with this key")


def _key_of_version_1(key: bytes) -> AESGCM:
    # NOTE: the node's key is uniformly random, so a keyed hash with a purpose is as good a derivation as HKDF; see
    # libsodium's crypto_kdf. HKDF took longer than opening a bundle of 4 KiB.
    return AESGCM(hashlib.blake2b(key=key, person=_PURPOSE, digest_size=32).digest())


def _key_before_versions(key: bytes) -> AESGCM:
    """For the first bundles; later ones without a version use the key of version 1."""
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"drydock sealed bundle").derive(key))


def _associated(context_id: UUID, node: str, kind: str) -> bytes:
    # The zero byte keeps ("a", "bc") and ("ab", "c") apart; neither a node name nor a kind contains one.
    return context_id.bytes + node.encode() + b"\0" + kind.encode()
