"""``RequestContext``: the caller's identity, and the WSGI environment keys that the layers share."""

from __future__ import annotations

from typing import NamedTuple

#: WSGI environment: true when the token could not be checked because Keystone did not answer.
IDENTITY_UNAVAILABLE = "drydock.identity_unavailable"
#: WSGI environment: an error that was raised while the token was checked and is not an outage.
AUTHENTICATION_FAILED = "drydock.authentication_failed"
#: WSGI environment: true when this path is not served on the port that received the request.
NOTHING_HERE = "drydock.nothing_here"


class RequestContext(NamedTuple):
    """The caller. ``authenticated`` only if Keystone (or noauth) confirmed it; else all but the ids are empty.

    ``marker`` and ``end_user`` are sent by the client and not verified: for the log, never for a decision.
    A tuple, because each request makes one: a frozen dataclass with as many fields takes four times as long.
    """

    request_id: str
    authenticated: bool = False
    user: str = ""
    user_id: str = ""
    project_id: str = ""
    domain_id: str = ""
    system_scope: str = ""
    roles: tuple[str, ...] = ()
    marker: str = ""
    end_user: str = ""
