"""Links and locations lead back to the API, also through proxies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from falcon.testing import TestClient

from drydock.errors import ConfigurationError
from tests.api.conftest import AppFactory
from tests.api.seeds import Seeds

NOAUTH = {"api": {"auth_strategy": "noauth"}}
BODY = {"action": "validate_design", "design_ref": "drydock://designs/" + "0" * 64}
PROXIED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "cloud.example.org",
    "X-Forwarded-Prefix": "/drydock/",
}


def create(app: Any, headers: Mapping[str, str], **arguments: Any) -> str:
    """The Location of a new task."""
    result = TestClient(app).simulate_post(
        "/api/v1.0/tasks", headers={"X-Auth-Token": "admin", **headers}, json=BODY, remote_addr="127.0.0.1", **arguments
    )
    assert result.status_code == 201
    return result.headers["Location"].rsplit("/", 1)[0]


def link(app: Any, seeds: Seeds, headers: Mapping[str, str]) -> str:
    """What a task's link begins with."""
    _, (child,) = seeds.tree("n01")
    seeds.build_data("n01", child.id, "data")
    result = TestClient(app).simulate_get(
        f"/api/v1.0/tasks/{child.id}", headers={"X-Auth-Token": "admin", **headers}, remote_addr="127.0.0.1"
    )
    return str(result.json["result"]["links"][0]["href"]).split("/api/v1.0/tasks/")[0]


def test_the_configured_address_counts_before_all_others(make_app: AppFactory, seeds: Seeds) -> None:
    public = {"public_url": "https://drydock.example.org:8443/metal/", "trusted_proxies": "127.0.0.1"}
    app = make_app(NOAUTH, {"api": public})
    assert create(app, PROXIED) == "/metal/api/v1.0/tasks"
    assert link(app, seeds, PROXIED) == "https://drydock.example.org:8443/metal"


@pytest.mark.parametrize("proxies", ["127.0.0.1", "10.0.0.0/8, 127.0.0.0/8"])
def test_a_trusted_proxy_says_where_a_request_was_sent_to(make_app: AppFactory, seeds: Seeds, proxies: str) -> None:
    app = make_app(NOAUTH, {"api": {"trusted_proxies": proxies}})
    assert create(app, PROXIED) == "/drydock/api/v1.0/tasks"
    assert link(app, seeds, PROXIED) == "https://cloud.example.org/drydock"
    assert link(app, seeds, {**PROXIED, "X-Forwarded-Port": "8443"}) == "https://cloud.example.org:8443/drydock"
    assert link(app, seeds, {**PROXIED, "X-Forwarded-Port": "443"}) == "https://cloud.example.org/drydock"
    assert link(app, seeds, {"Forwarded": "for=10.0.0.1;proto=https;host=a.example"}) == "https://a.example"
    pages = TestClient(app).simulate_get(
        "/api/v1.0/tasks",
        query_string="limit=1",
        headers={"X-Auth-Token": "admin", **PROXIED},
        remote_addr="127.0.0.1",
    )
    assert pages.headers["Link"].startswith("</drydock/api/v1.0/tasks?limit=1&marker=")


@pytest.mark.parametrize("proxies", ["", "192.0.2.1"])
def test_nobody_else_does(make_app: AppFactory, seeds: Seeds, proxies: str) -> None:
    app = make_app(NOAUTH, {"api": {"trusted_proxies": proxies}})
    assert create(app, PROXIED) == "/api/v1.0/tasks"
    assert link(app, seeds, {**PROXIED, "Host": "drydock:9000"}) == "http://drydock:9000"


@pytest.mark.parametrize(
    "sent",
    [
        {"X-Forwarded-Host": 'a"b', "X-Forwarded-Prefix": "/a b", "X-Forwarded-Proto": "javascript"},
        {"X-Forwarded-Host": "a/b?c", "X-Forwarded-Prefix": "//evil.example", "X-Forwarded-Port": "x"},
        {"X-Forwarded-Host": "user:password@h"},
    ],
)
def test_what_is_no_address_is_left_out(make_app: AppFactory, seeds: Seeds, sent: Mapping[str, str]) -> None:
    app = make_app(NOAUTH, {"api": {"trusted_proxies": "127.0.0.1"}})
    assert create(app, sent) == "/api/v1.0/tasks"
    assert link(app, seeds, sent).startswith("http://falconframework.org")


def test_an_application_that_is_mounted_below_a_path_says_so(make_app: AppFactory) -> None:
    assert create(make_app(NOAUTH), {}, root_path="/metal") == "/metal/api/v1.0/tasks"


@pytest.mark.parametrize(
    ("option", "value"),
    [("public_url", "drydock.example.org"), ("public_url", "https://h/a?b"), ("trusted_proxies", "proxy.example.org")],
)
def test_an_address_that_is_none_stops_the_start(make_app: AppFactory, option: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"\[api\] {option}"):
        make_app(NOAUTH, {"api": {option: value}})
