"""Labels of nodes at Promenade: ``PUT /api/v1.0/node-labels/{node}`` with the labels as an object."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from keystoneauth1 import exceptions
from keystoneauth1.session import Session

from drydock.errors import DriverRefused, DriverUnavailable
from drydock.http_status import may_pass

#: Keystone's own no to our credentials; everything else that keystoneauth raises may pass.
_FINAL = (exceptions.Unauthorized, exceptions.Forbidden, exceptions.AuthPluginException)
_LONGEST_REASON = 300


class PromenadeLabels:
    """Shared by all threads. ``session`` brings the service's own token, and a new one when that is refused."""

    name = "promenade"

    def __init__(self, session: Session, *, url: str, timeout: float) -> None:
        self._session = session
        self._base = f"{url.rstrip('/')}/api/v1.0/node-labels"
        self._timeout = timeout

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
        except _FINAL as exc:
            raise DriverRefused(f"promenade: Keystone refuses our credentials: {type(exc).__name__}") from exc
        except exceptions.ClientException as exc:
            raise DriverUnavailable(f"promenade: no answer about {node}: {type(exc).__name__}") from exc
        if may_pass(response.status_code):
            raise DriverUnavailable(f"promenade: labels of {node}: status {response.status_code}")
        if response.status_code >= 300:
            why = response.text[:_LONGEST_REASON].strip()
            raise DriverRefused(f"promenade: labels of {node}: status {response.status_code}: {why}")
