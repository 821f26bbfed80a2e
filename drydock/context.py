"""``RequestContext``: who asks, and the names under which the layers of a request hand things on."""

from __future__ import annotations

from typing import NamedTuple

#: WSGI environment: true when the token could not be checked because Keystone did not answer.
IDENTITY_UNAVAILABLE = "drydock.identity_unavailable"
#: WSGI environment: what was raised while the token was checked, and is nobody's outage.
AUTHENTICATION_FAILED = "drydock.authentication_failed"
#: WSGI environment: true when this path is not served where the request came in.
NOTHING_HERE = "drydock.nothing_here"


class RequestContext(NamedTuple):
    """Who asks. ``authenticated`` only if Keystone (or its stand-in) confirmed it; else all but the ids are empty.

    ``marker`` and ``end_user`` are what the client says of itself: for the log, never for a decision.
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
