"""A node's key: derived from a secret, shown as 64 hex digits, stored nowhere.

The key of any boot context can be derived again from the secret, so that issuing it may be repeated after a crash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from drydock.errors import ConfigurationError, InvalidInput

KEY_BYTES = 32
_EVENTS = b"drydock installer events"
_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def derive_key(secret: bytes, context_id: UUID, node: str) -> bytes:
    """32 bytes: HKDF-SHA256 of the secret for this context and node. Raises ``ConfigurationError`` without a secret."""
    if not secret:
        raise ConfigurationError("the boot action secret is empty")
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=context_id.bytes + node.encode()).derive(secret)


def events_token(key: bytes) -> bytes:
    """32 bytes that only allow an installer to post its progress, because configuration files contain them."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=_EVENTS).derive(key)


def key_digest(key: bytes) -> bytes:
    """SHA-256 of a key, as stored in the database."""
    return hashlib.sha256(key).digest()


def parse_key(text: str) -> bytes:
    """A key as clients send it. Raises ``InvalidInput``, which never shows the input."""
    if not _HEX.fullmatch(text):
        raise InvalidInput("must be 64 hexadecimal digits", field="X-Bootaction-Key")
    return bytes.fromhex(text)


def matches(key: bytes, digest: bytes | memoryview) -> bool:
    """True if ``digest`` is this key's; in constant time."""
    return hmac.compare_digest(key_digest(key), digest)


def derive_matching(secrets: Sequence[bytes], context_id: UUID, node: str, digest: bytes) -> bytes | None:
    """The context's key, derived from the secret that matches its digest; None if no secret does."""
    keys = (derive_key(secret, context_id, node) for secret in secrets)
    return next((key for key in keys if matches(key, digest)), None)
