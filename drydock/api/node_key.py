"""``X-Bootaction-Key``: read here, compared elsewhere."""

from __future__ import annotations

import falcon

from drydock.bootaction.keys import parse_key
from drydock.errors import Forbidden, InvalidInput, NotAuthenticated

HEADER = "X-Bootaction-Key"


def read_key(req: falcon.Request) -> bytes:
    """The key a node presents. Raises ``NotAuthenticated`` without one, ``Forbidden`` for what cannot be a key."""
    text = req.get_header(HEADER)
    if not text:
        raise NotAuthenticated(f"the header {HEADER} is missing")
    try:
        return parse_key(text)
    except InvalidInput:
        # NOTE: not chained, as the cause may quote what was sent.
        raise Forbidden(f"{HEADER} is not a key") from None
