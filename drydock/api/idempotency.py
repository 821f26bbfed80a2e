"""``Idempotency-Key``: a client's name for a request, under which it may send it again."""

from __future__ import annotations

import re

import falcon

from drydock.api.headers import IDEMPOTENCY_KEY
from drydock.api.requests import read_header
from drydock.errors import InvalidInput


def read_idempotency_key(req: falcon.Request) -> str | None:
    """None without one. Raises ``InvalidInput``."""
    key = read_header(req, IDEMPOTENCY_KEY)
    if key is not None and not re.fullmatch(IDEMPOTENCY_KEY.schema["pattern"], key):
        raise InvalidInput("must be 1 to 255 printable ASCII characters", field=IDEMPOTENCY_KEY.name)
    return key
