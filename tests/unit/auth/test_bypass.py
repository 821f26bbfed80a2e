"""The bypass: which paths pass it, and that no identity survives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from keystonemiddleware.auth_token import _request

from drydock.api.operations import TABLE
from drydock.api.paths import node_paths
from drydock.auth.bypass import NodeRouteBypass
from drydock.auth.headers import IDENTITY_HEADERS, environ_key

NODE_PATH = node_paths(TABLE)
NODE_PATHS = [
    "/api/v1.0/bootdata/n01/files",
    "/api/v1.0/bootdata/n01/units",
    "/api/v1.0/bootactions/nodes/n01/files",
    "/api/v1.0/bootactions/nodes/n01/units",
    "/api/v1.0/bootdata/n01/script",
    "/api/v1.0/bootdata/n01/builddata",
    "/api/v1.0/bootdata/n01/events",
    "/api/v1.0/bootactions/nodes/n01/events/0123",
    "/api/v1.0/bootaction/01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "/api/v1.0/bootactions/01ARZ3NDEKTSV4RRFFQ69G5FAV",
]


def ignored(*_: object) -> Callable[[bytes], object]:
    return len


def seen_by_app(environ: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Which way a request went, and its environment there."""
    seen: list[tuple[str, dict[str, Any]]] = []

    def ending(name: str) -> Any:
        def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            seen.append((name, environ))
            return []

        return app

    NodeRouteBypass(ending("app"), ending("authenticated"), NODE_PATH)(environ, ignored)
    return seen[0]


@pytest.mark.parametrize("path", [*NODE_PATHS, *(path + "/" for path in NODE_PATHS)])
def test_a_node_passes_and_loses_every_identity_header(path: str) -> None:
    forged = {environ_key(header): "Confirmed" for header in IDENTITY_HEADERS}
    way, environ = seen_by_app({"PATH_INFO": path, "HTTP_X_BOOTACTION_KEY": "00", **forged})
    assert way == "app"
    assert environ == {"PATH_INFO": path, "HTTP_X_BOOTACTION_KEY": "00"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/api/v1.0/tasks",
        "/api/v1.0/bootdata",
        "/api/v1.0/bootdata/n01",
        "/api/v1.0/bootdata/n01/files/x",
        "/api/v1.0/bootdata/n01/other",
        "/api/v1.0/bootdata/n01/events/0123/x",
        "/api/v1.0/bootdata/n01/script/0123",
        "/api/v1.0/bootactions/",
        "/api/v1.0/bootaction/a/b",
        "/api/v1.0/bootactions/nodes/n01",
        "/api/v1.0/bootaction//",
        "//api/v1.0/bootaction/a",
        "/api/v1.0/../api/v1.0/bootaction/a",
        "/api/v1.0/tasks\n/api/v1.0/bootaction/a",
        "/api/v1.0/bootaction/a\n/api/v1.0/tasks/x",
        "/api/v1x0/bootaction/a",
        "/API/v1.0/bootaction/a",
    ],
)
def test_every_other_path_goes_to_keystone(path: str) -> None:
    assert seen_by_app({"PATH_INFO": path})[0] == "authenticated"


def test_our_list_of_identity_headers_covers_keystonemiddlewares() -> None:
    request = _request._AuthTokenRequest.blank("/")
    theirs = {header.lower() for header in request._all_auth_headers()} | {
        _request._AuthTokenRequest._SYSTEM_SCOPE_HEADER.lower()
    }
    ours = {header.lower() for header in IDENTITY_HEADERS}
    assert theirs <= ours
    assert all(header.startswith(("x-", "openstack-")) for header in ours - theirs)


def test_the_pattern_has_no_wildcard_for_versions() -> None:
    assert not NODE_PATH.fullmatch("/api/v2.0/bootaction/a")
