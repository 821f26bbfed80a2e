"""Labels of nodes at Promenade: ``PUT /api/v1.0/node-labels/{node}`` with the labels as an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from keystoneauth1 import exceptions
from keystoneauth1.session import Session

from drydock.drivers.http_answers import answer_error
from drydock.errors import ConfigurationError, DriverError, DriverRefused, DriverUnavailable
from drydock.http_status import may_pass
from drydock.redaction import redacted
from drydock.tls_refusals import is_refusal, reason

#: Keystone's own no to our credentials; everything else that keystoneauth raises may pass.
_FINAL = (exceptions.Unauthorized, exceptions.Forbidden, exceptions.AuthPluginException)
_CA_OPTION = "[keystone_authtoken] cafile"
_LONGEST_REASON = 300


class PromenadeLabels:
    """Shared by all threads. ``session`` brings the service's own token, and a new one when that is refused."""

    name = "promenade"

    def __init__(self, session: Session, *, url: str, timeout: float) -> None:
        self._session = session
        self._base = f"{url.rstrip('/')}/api/v1.0/node-labels"
        self._timeout = timeout

    @classmethod
    def from_options(cls, options: Mapping[str, Any], session: Callable[[], Session]) -> PromenadeLabels:
        """Raises ``ConfigurationError``."""
        if not options["url"]:
            raise ConfigurationError("[promenade] url: is not set, but [drivers] labels is promenade")
        return cls(session(), url=options["url"], timeout=options["timeout"])

    def check(self) -> None:
        """Promenade has no question about rights: whether it takes our token shows when labels are given."""
        try:
            self._session.get_token()
        except exceptions.ClientException as exc:
            raise _of_keystone(exc, "no token") from exc

    def put(self, node: str, labels: Mapping[str, str]) -> None:
        try:
            response = self._session.put(
                f"{self._base}/{quote(node, safe='')}",
                json=dict(labels),
                timeout=self._timeout,
                raise_exc=False,
                # A token is not sent to the target of a redirect.
                redirect=False,
            )
        except exceptions.ClientException as exc:
            raise _of_keystone(exc, f"no answer about {node}") from exc
        status, text = response.status_code, f"promenade: labels of {node}: status {response.status_code}"
        if status >= 300:
            # It may be of something before Promenade, which quotes our request.
            why = "" if may_pass(status) else f": {redacted(response.text)[:_LONGEST_REASON].strip()}"
            raise answer_error(status, f"{text}{why}", response.headers)


def _of_keystone(exc: exceptions.ClientException, what: str) -> DriverError:
    if is_refusal(exc):
        return DriverRefused(f"promenade: {what}: {reason(exc, 'the server', option=_CA_OPTION)}")
    if isinstance(exc, exceptions.HttpError) and may_pass(exc.http_status or 0):
        headers = {} if exc.response is None else exc.response.headers
        return answer_error(exc.http_status or 0, f"promenade: {what}: Keystone answered {exc.http_status}", headers)
    if isinstance(exc, _FINAL):
        return DriverRefused(f"promenade: Keystone refuses our credentials: {type(exc).__name__}")
    return DriverUnavailable(f"promenade: {what}: {type(exc).__name__}")
