"""Digests of what must not be guessed: without the secret, none can be checked against a guess."""

from __future__ import annotations

import hashlib


class KeyedDigests:
    """Digests under one secret, for one purpose. ``name``: of the secret, the same for each purpose."""

    def __init__(self, secret: bytes, purpose: bytes) -> None:
        """``purpose``: 16 bytes at most; digests of two purposes have nothing to do with each other."""
        self._key = hashlib.blake2b(secret, person=purpose).digest()
        self.name = hashlib.blake2b(secret, person=b"drydock-secretid", digest_size=4).hexdigest()

    def of(self, content: bytes) -> str:
        """32 hexadecimal digits."""
        return hashlib.blake2b(content, key=self._key, digest_size=16).hexdigest()
