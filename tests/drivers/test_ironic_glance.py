"""Images of Glance, page by page. What answers is a server of few lines: Keystone's catalogue, and Glance's list."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.errors import DriverRefused

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
#: The newest first. Names are not unique, and one has none.
IMAGES: list[dict[str, str | None]] = [
    {"id": "5", "name": "jammy", "kernels": "hwe"}, {"id": "4", "name": None}, {"id": "3", "name": "focal"},
    {"id": "2", "name": "jammy", "kernels": "ga"}, {"id": "1", "name": "bionic"},
]  # fmt: skip
#: More are not given at a time, whatever is asked for.
MOST = 2


@pytest.fixture
def url() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path.startswith("/v3"):
                link = {"rel": "self", "href": f"{self._url()}/v3"}
                self._reply(200, {"version": {"id": "v3.14", "status": "stable", "links": [link]}})
            elif asked.path == "/image/v2/images":
                self._reply(200, _page(parse_qs(asked.query).get("marker", [""])[0]))
            else:
                self._reply(300, {"versions": [_version(self._url())]})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._reply(201, {"token": _token(self._url())})

        def _url(self) -> str:
            return f"http://{self.headers['Host']}"

        def _reply(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Subject-Token", "token")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _page(marker: str) -> dict[str, Any]:
    start = next((place for place, image in enumerate(IMAGES, 1) if image["id"] == marker), 0)
    rows = IMAGES[start : start + MOST]
    following = {"next": f"/v2/images?marker={rows[-1]['id']}"} if start + MOST < len(IMAGES) else {}
    return {"images": rows, **following}


def _version(url: str) -> dict[str, Any]:
    return {"id": "v2.9", "status": "CURRENT", "links": [{"rel": "self", "href": f"{url}/image/v2/"}]}


def _token(url: str) -> dict[str, Any]:
    endpoint = {"id": "e", "interface": "internal", "region": "r", "region_id": "r", "url": f"{url}/image"}
    return {
        "methods": ["password"], "expires_at": "2999-01-01T00:00:00.000000Z",
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "user": {"id": "u", "name": "u", "domain": {"id": "d", "name": "d"}},
        "project": {"id": "p", "name": "p", "domain": {"id": "d", "name": "d"}},
        "catalog": [{"type": "image", "name": "glance", "id": "s", "endpoints": [endpoint]}],
    }  # fmt: skip


def test_all_pages_and_the_newest_of_a_name(url: str) -> None:
    account = {"auth_url": f"{url}/v3", "username": "u", "password": "not-a-secret", "project_name": "p"}
    domains = {"user_domain_name": "d", "project_domain_name": "d"}
    options = IronicSettings.from_options({"auth_type": "password", "glance": True, **account, **domains})
    images = IronicProvisioner(options).list_images()
    assert images is not None
    assert {image.name: image.kernels for image in images} == {"jammy": ("hwe",), "focal": (), "bionic": ()}


def test_a_service_that_is_no_ironic(url: str) -> None:
    """It answers everything with versions, as another service of OpenStack does where it has no such path."""
    provisioner = IronicProvisioner(IronicSettings.from_options({"endpoint_override": f"{url}/v3"}))
    with pytest.raises(DriverRefused, match="GET drivers: the answer has no drivers"):
        provisioner.check()
