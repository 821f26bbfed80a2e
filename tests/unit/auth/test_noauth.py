"""The stand-in: roles by token, loopback only, no forged identity."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from drydock.auth.headers import IDENTITY_HEADERS, environ_key
from drydock.auth.noauth import NoAuth, is_loopback, require_loopback
from drydock.errors import ConfigurationError


def ignored(*_: object) -> Callable[[bytes], object]:
    return len


def identity(token: str | None, *, remote: str = "127.0.0.1", **more: str) -> dict[str, Any]:
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        return []

    environ: dict[str, Any] = {"PATH_INFO": "/", "REMOTE_ADDR": remote, **more}
    if token is not None:
        environ["HTTP_X_AUTH_TOKEN"] = token
    NoAuth(app)(environ, ignored)
    names = {environ_key(header) for header in IDENTITY_HEADERS}
    return {name: value for name, value in seen[0].items() if name in names}


def test_a_token_is_a_role_with_those_it_implies() -> None:
    assert identity("admin")["HTTP_X_ROLES"] == "admin,manager,member,reader"
    assert identity("reader")["HTTP_X_ROLES"] == "reader"
    assert identity("member")["HTTP_X_IDENTITY_STATUS"] == "Confirmed"


@pytest.mark.parametrize("token", [None, "", "root", "Admin", "admin,reader"])
def test_other_tokens_are_nobody(token: str | None) -> None:
    assert identity(token) == {"HTTP_X_IDENTITY_STATUS": "Invalid"}


@pytest.mark.parametrize("remote", ["192.0.2.1", "", "::ffff:192.0.2.1", "localhost.example.org", "unix:"])
def test_other_machines_are_nobody(remote: str) -> None:
    assert identity("admin", remote=remote) == {"HTTP_X_IDENTITY_STATUS": "Invalid"}


def test_forged_headers_are_removed() -> None:
    forged = {environ_key(header): "admin" for header in IDENTITY_HEADERS}
    assert identity("reader", **forged) == identity("reader")
    assert identity(None, **forged) == {"HTTP_X_IDENTITY_STATUS": "Invalid"}


def test_it_says_so_loudly(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        identity("admin")
    assert "AUTHENTICATION IS OFF" in caplog.text


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost"])
def test_loopback_addresses_may_be_served(address: str) -> None:
    assert is_loopback(address)
    require_loopback(address)


@pytest.mark.parametrize("address", ["10.0.0.1", "::", "192.0.2.1", "", "*", "example.org", "::ffff:10.0.0.1"])
def test_no_other_address_is_served(address: str) -> None:
    with pytest.raises(ConfigurationError, match="noauth"):
        require_loopback(address)
