"""``Idempotency-Key``: a client's name for a request, under which it may send it again."""

from __future__ import annotations

import re

import falcon

from drydock.errors import InvalidInput

HEADER = "Idempotency-Key"


def read_idempotency_key(req: falcon.Request) -> str | None:
    """None without one. Raises ``InvalidInput``."""
    key = req.get_header(HEADER)
    if key is not None and not re.fullmatch(r"[\x20-\x7e]{1,255}", key):
        raise InvalidInput("must be 1 to 255 printable ASCII characters", field=HEADER)
    return key
