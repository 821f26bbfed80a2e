"""Why a TLS certificate was refused, in words that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import MappingProxyType

#: Errors that are looked at for the cause of one.
_MOST_LINKS = 32
UNKNOWN = "is signed by an authority that is not known here: name the authority's file in {option}"
NAME = "is not for the address or name by which it is reached"
REASONS: Mapping[int, str] = MappingProxyType(
    {
        9: "is not valid yet: compare the clocks, or replace it",
        10: "has expired: replace it",
        18: "is signed by itself: name it in {option}, or replace it",
        19: UNKNOWN,
        20: UNKNOWN,
        21: UNKNOWN,
        62: NAME,
        64: NAME,
    }
)
"""By OpenSSL's verification codes (X509_V_ERR_...)."""


def reason(error: BaseException, whose: str, *, option: str = "ca_file") -> str:
    """``error``: what a client raised, with the cause somewhere in it. ``whose``: such as ``the BMC``.

    ``option`` names authorities.
    """
    found = _found(error, ssl.SSLCertVerificationError)
    if not isinstance(found, ssl.SSLCertVerificationError):
        return f"TLS with {whose} fails: it may speak no TLS there, or none that is recent enough"
    known = REASONS.get(found.verify_code)
    why = known.format(option=option) if known else f"is not accepted: {found.verify_message}"
    return f"{whose}'s TLS certificate {why}"


def is_refusal(error: BaseException) -> bool:
    """Whether a certificate was refused, which trying again does not heal."""
    return _found(error, ssl.SSLCertVerificationError) is not None


def _found(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """requests and urllib3 keep it among the arguments or as the reason of their errors, keystoneauth as context."""
    seen: list[BaseException] = []
    left: list[object] = [error]
    while left and len(seen) < _MOST_LINKS:
        each = left.pop(0)
        if isinstance(each, kind):
            return each
        if isinstance(each, BaseException) and each not in seen:
            seen.append(each)
            left += [getattr(each, "reason", None), *each.args, each.__cause__, each.__context__]
    return None
