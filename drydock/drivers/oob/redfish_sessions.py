"""How we log in at a BMC: a session where it has them, kept and renewed; basic authentication where it has none."""

from __future__ import annotations

import contextlib
from typing import Any

import requests
from sushy import auth as sushy_auth
from sushy import exceptions as sushy_errors

NO_SESSIONS = frozenset({404, 405, 501})
"""Answers of a BMC that names sessions in its root and has none."""


class SessionOrBasic(sushy_auth.SessionOrBasicAuth):  # type: ignore[misc]
    """sushy's class tries basic authentication after every failure of a session: a busy BMC would get a second login,
    a wrong password would be tried twice (accounts are locked after few), and a BMC without sessions would be asked
    for one. sushy renews a session that the BMC has forgotten (401) by itself, once for each request.
    """

    def _do_authenticate(self) -> None:
        if not _has_sessions(self._root_resource):
            self._fallback_to_basic_authentication()
            return
        try:
            sushy_auth.SessionAuth._do_authenticate(self)
        except sushy_errors.MissingXAuthToken:
            self._fallback_to_basic_authentication()
        except sushy_errors.HTTPError as exc:
            if exc.status_code not in NO_SESSIONS:
                raise
            self._fallback_to_basic_authentication()

    def refresh_session(self) -> None:
        """As sushy does after 401 and 403. The old session is ended: after 403 the BMC has it still, and few more."""
        old = self._session_resource_id
        super().refresh_session()
        if old is not None and old != self._session_resource_id:
            with contextlib.suppress(sushy_errors.SushyError, requests.RequestException):
                self._connector._op("DELETE", old, allow_reauth=False)


def _has_sessions(root: Any) -> bool:
    """Whether the service root, which is read without authentication, names them."""
    document = root.json
    links = document.get("Links") or {}
    return bool((links.get("Sessions") or {}).get("@odata.id") or document.get("SessionService"))
