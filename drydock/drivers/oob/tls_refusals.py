"""Why a TLS certificate was refused, in words that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import MappingProxyType

UNKNOWN = "is signed by an authority that is not known here: name the authority's file in ca_file"
NAME = "is not for the address or name by which it is reached"
REASONS: Mapping[int, str] = MappingProxyType(
    {
        9: "is not valid yet: compare the clocks, or replace it",
        10: "has expired: replace it",
        18: "is signed by itself: name it in ca_file, or replace it",
        19: UNKNOWN,
        20: UNKNOWN,
        21: UNKNOWN,
        62: NAME,
        64: NAME,
    }
)
"""By OpenSSL's verification codes (X509_V_ERR_...)."""


def reason(error: BaseException) -> str:
    """``error``: what a client raised, with the cause somewhere in it."""
    found = _verification(error)
    if found is None:
        return "TLS with the BMC fails: it may speak no TLS there, or none that is recent enough"
    return f"the BMC's TLS certificate {REASONS.get(found.verify_code, f'is not accepted: {found.verify_message}')}"


def _verification(error: object) -> ssl.SSLCertVerificationError | None:
    """requests and urllib3 keep it among the arguments or as the reason of their own errors."""
    for _ in range(8):
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        if not isinstance(error, BaseException):
            return None
        inner = getattr(error, "reason", None)
        error = inner if isinstance(inner, BaseException) else next(iter(error.args), None)
    return None
