"""HTTP to a BMC, for sushy: an answer that trickles ends at the timeout, and nothing is taken from the environment."""

from __future__ import annotations

import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from sushy import connector as sushy_connector
from urllib3.exceptions import HTTPError as TransportError

LARGEST_ANSWER = 16 * 1024 * 1024
CHUNK = 64 * 1024


class BoundedAdapter(HTTPAdapter):
    """requests' timeout is for each read from the socket; a body that comes a byte at a time would take for ever."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        super().__init__()

    def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
        response = super().send(request, **{**options, "stream": True})
        give_up = time.monotonic() + self._seconds
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if time.monotonic() > give_up:
                    raise requests.ReadTimeout(request=request)
                if len(body) > LARGEST_ANSWER:
                    raise requests.ConnectionError("the answer is too large", request=request)
        except (TransportError, OSError) as exc:
            if isinstance(exc, requests.RequestException):
                raise
            raise requests.ConnectionError(exc, request=request) from exc
        finally:
            response.close()
        response._content = bytes(body)
        response._content_consumed = True  # type: ignore[attr-defined]
        return response


def make_connector(url: str, *, verify: bool | str, seconds: float) -> Any:
    """One try for a request that finds no server, one more for a 5xx; sushy's own default is half a minute."""
    made = sushy_connector.Connector(
        url,
        verify=verify,
        server_side_retries=1,
        server_side_retries_delay=0,
        default_request_timeout=seconds,
    )
    # NOTE: requests would take proxies and a netrc from the environment, and with them another password.
    made._session.trust_env = False
    for scheme in ("http://", "https://"):
        made._session.mount(scheme, BoundedAdapter(seconds))
    return made
