"""What a machine shows: its key in ``X-Bootaction-Key``, or its installer's token. Read here, compared elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import falcon

from drydock.bootaction.keys import parse_key
from drydock.errors import Forbidden, InvalidInput, NotAuthenticated

HEADER = "X-Bootaction-Key"
IN_ENVIRON = "HTTP_X_BOOTACTION_KEY"
#: OAuth 1 with PLAINTEXT: the signature is both secrets. cloud-init and curtin can send no other header.
_SIGNATURE = re.compile(r'OAuth\s(?:.*[\s,])?oauth_signature="([^"]*)"', re.IGNORECASE | re.ASCII)
_TOKEN_IN_PATH = re.compile(r"(/events/).+", re.IGNORECASE | re.DOTALL)


def read_credential(req: falcon.Request) -> bytes:
    """The key or, from installers, the token in OAuth's fields.

    Raises ``NotAuthenticated`` without one, ``Forbidden`` for what cannot be one.
    """
    key = req.env.get(IN_ENVIRON)
    if key:
        return _parse(key, HEADER)
    signature = _SIGNATURE.match(req.get_header("Authorization") or "")
    if signature is None:
        raise NotAuthenticated(f"the header {HEADER} is missing")
    # Each secret is quoted, and what joins them once more.
    return _parse(unquote(unquote(signature[1]).rpartition("&")[2]), "the installer's token")


def read_token(params: Mapping[str, Any]) -> bytes:
    """The installer's token in the path. Raises ``Forbidden`` for what cannot be one."""
    return _parse(params["token"], "the installer's token")


def shown_path(path: str) -> str:
    """``path`` as logs may show it: without an installer's token."""
    return _TOKEN_IN_PATH.sub(r"\1***", path) if "/events/" in path.lower() else path


def _parse(text: str, what: str) -> bytes:
    try:
        return parse_key(text)
    except InvalidInput:
        # NOTE: not chained, as the cause may quote what was sent.
        raise Forbidden(f"{what} is not a key") from None
