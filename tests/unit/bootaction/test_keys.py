"""Node keys."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.bootaction.keys import derive_key, derive_matching, key_digest, matches, parse_key
from drydock.errors import ConfigurationError, InvalidInput

CONTEXT = UUID("00010203-0405-0607-0809-0a0b0c0d0e0f")


def test_it_is_hkdf_sha256() -> None:
    """RFC 5869 by hand: extract without a salt, one block of expand."""
    extracted = hmac.digest(bytes(32), b"secret", "sha256")
    assert derive_key(b"secret", CONTEXT, "n1") == hmac.digest(extracted, CONTEXT.bytes + b"n1" + b"\x01", "sha256")


def test_it_can_be_derived_again_and_is_different_for_all_else() -> None:
    key = derive_key(b"secret", CONTEXT, "n1")
    assert len(key) == 32
    assert derive_key(b"secret", CONTEXT, "n1") == key
    others = {
        derive_key(b"other", CONTEXT, "n1"),
        derive_key(b"secret", UUID(int=1), "n1"),
        derive_key(b"secret", CONTEXT, "n2"),
    }
    assert len(others | {key}) == 4


def test_no_key_of_no_secret() -> None:
    with pytest.raises(ConfigurationError):
        derive_key(b"", CONTEXT, "n1")


def test_rotation() -> None:
    key = derive_key(b"old", CONTEXT, "n1")
    assert derive_matching([b"new", b"old"], CONTEXT, "n1", key_digest(key)) == key
    assert derive_matching([b"new"], CONTEXT, "n1", key_digest(key)) is None
    assert derive_matching([b"old"], CONTEXT, "n2", key_digest(key)) is None
    assert derive_matching([], CONTEXT, "n1", key_digest(key)) is None


def test_digest() -> None:
    assert key_digest(b"k" * 32) == hashlib.sha256(b"k" * 32).digest()
    assert matches(b"k" * 32, key_digest(b"k" * 32))
    assert not matches(b"k" * 32, key_digest(b"j" * 32))


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_hex_in_any_case(key: bytes) -> None:
    assert parse_key(key.hex()) == parse_key(key.hex().upper()) == key


@pytest.mark.parametrize(
    "text", ["", "ab", "g" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", " " + "a" * 63, "\u0661" * 64, "0x" + "a" * 62]
)
def test_what_is_no_key_is_not_shown(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_key(text)
    assert str(caught.value) == "X-Bootaction-Key: must be 64 hexadecimal digits"
