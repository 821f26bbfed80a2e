"""Who comes in: the route table walked, against a real Keystone."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from dev.api_reference import openapi
from dev.keystone import KeystoneServer
from drydock.api.operations import TABLE
from drydock.api.paths import node_paths
from drydock.api.route import Access, Route
from drydock.auth.headers import IDENTITY_HEADERS
from drydock.policies import names as task_rules
from tests.api.conftest import AppFactory, Client, with_token

#: Rules that a reader's token is enough for.
READING = {
    *("read_task", "read_data", "read_holds", "read_build_data", "health_data", "validate_site_design", "read_plan"),
}


OPERATOR_CALLS = [
    (method, route.path, operation.rule)
    for route in TABLE
    if route.access is Access.OPERATOR
    for method, operation in route.operations.items()
]
NODE_PATHS = [route.path for route in TABLE if route.access is Access.NODE_KEY]
POSTED = ("action_id", "builddata", "events")


def filled(path: str) -> str:
    """The path below the prefix, its parameters filled in with what exists nowhere."""
    values = {"task_id": str(uuid.uuid4()), "hostname": "n99", "action_id": "0" * 26}
    values |= dict.fromkeys(("digest", "plan_id", "token"), "0" * 64)
    return "/" + path.format(**values)


@pytest.fixture
def nobody(keystone_app: Any) -> Client:
    return Client(keystone_app, {})


@pytest.fixture(scope="module")
def tokens(keystone: KeystoneServer) -> dict[str, str]:
    return {user: keystone.token(user) for user in ("admin", "member", "reader")}


def forged() -> dict[str, str]:
    values = dict.fromkeys(IDENTITY_HEADERS, "admin")
    return {
        **values,
        "X-Identity-Status": "Confirmed",
        "X-Service-Identity-Status": "Confirmed",
        "X-Roles": "admin,reader",
    }


@pytest.mark.parametrize(("method", "path", "rule"), OPERATOR_CALLS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_without_a_token_it_is_401(nobody: Client, method: str, path: str, rule: str, slash: str) -> None:
    for headers in ({}, {"X-Auth-Token": "nonsense"}, {"X-Auth-Token": ""}, forged()):
        result = nobody(method, filled(path) + slash, headers=headers, body="{}")
        assert result.status_code == 401
        assert result.json["reason"] == "not_authenticated"
        assert result.headers["WWW-Authenticate"].startswith("Keystone uri=")


@pytest.mark.parametrize(("method", "path", "rule"), OPERATOR_CALLS)
def test_with_too_little_it_is_403(
    keystone_app: Any, tokens: dict[str, str], method: str, path: str, rule: str
) -> None:
    reading = rule.removeprefix("physical_provisioner:") in READING
    for user in ("reader", "member"):
        result = with_token(keystone_app, tokens[user])(method, filled(path), headers=forged(), body="{}")
        if reading:
            assert result.status_code not in (401, 403)
        else:
            assert result.status_code == 403
            assert result.json["reason"] == "forbidden"
    result = with_token(keystone_app, tokens["admin"])(method, filled(path), body="{}")
    assert result.status_code not in (401, 403)


def test_creating_a_task_needs_the_rule_of_its_action_too(
    make_app: AppFactory, keystone: KeystoneServer, tokens: dict[str, str], tmp_path: Any
) -> None:
    file = tmp_path / "policy.yaml"
    rule = task_rules.ACTION_RULES
    lines = [f'"{task_rules.CREATE_TASK}": "role:reader"', f'"{rule["validate_design"]}": "role:reader"']  # type: ignore[index]
    file.write_text("\n".join(lines))
    app = make_app({"keystone_authtoken": keystone.middleware_options(), "oslo_policy": {"policy_file": str(file)}})
    client = with_token(app, tokens["reader"])
    body = {"action": "validate_design", "design_ref": "drydock://designs/" + "0" * 64}
    assert client.post("/tasks", body).status_code == 201
    refused = client.post("/tasks", {**body, "action": "deploy_nodes"})
    assert (refused.status_code, refused.json["reason"]) == (403, "forbidden")
    assert "deploy_nodes" in refused.json["message"]


@pytest.mark.parametrize("path", NODE_PATHS)
def test_node_routes_want_a_key_and_nothing_else(nobody: Client, tokens: dict[str, str], path: str) -> None:
    method = "POST" if any(part in path for part in POSTED) else "GET"
    for headers in ({}, {"X-Auth-Token": tokens["admin"]}, forged(), {"X-Bootaction-Key": ""}):
        result = nobody(method, filled(path), headers=headers)
        assert (result.status_code, result.json["reason"]) == (401, "not_authenticated")
    for key in ("x" * 64, "0" * 63, "0" * 65, "00", "é" * 64, "0" * 5000):
        result = nobody(method, filled(path), headers={"X-Bootaction-Key": key})
        assert (result.status_code, result.json["reason"]) == (403, "forbidden")
        assert key not in result.text
    result = nobody(method, filled(path), headers={"X-Bootaction-Key": "0" * 64}, json={})
    assert result.status_code == 404


@pytest.mark.parametrize("route", [route for route in TABLE if route.access.of_nodes], ids=lambda route: route.path)
def test_each_way_to_show_a_key_that_is_described_is_one(nobody: Client, route: Route) -> None:
    shown = {
        "key": {"X-Bootaction-Key": "0" * 64},
        "oauth": {"Authorization": f'OAuth oauth_signature_method="PLAINTEXT", oauth_signature="%26{"0" * 64}"'},
    }
    for method in route.operations:
        ways = openapi()["paths"][route.path][method.lower()]["security"]
        for headers in [shown[name] for way in ways for name in way] or [{}]:
            assert nobody(method, filled(route.path), headers=headers).status_code == 404


def test_the_bypass_and_the_table_agree() -> None:
    for route in TABLE:
        for path in (filled(route.path)[1:], filled(route.path)[1:] + "/"):
            assert bool(node_paths(TABLE).fullmatch(path)) is route.access.of_nodes, path


def test_open_routes_are_few() -> None:
    open_paths = {route.path.removeprefix("/api/v1.0") for route in TABLE if route.access is Access.OPEN}
    assert open_paths == {"/versions", "/api/versions", "/health", "/metrics"}


def test_a_key_opens_no_other_route(nobody: Client) -> None:
    assert nobody.get("/tasks", headers={"X-Bootaction-Key": "0" * 64}).status_code == 401


@pytest.mark.parametrize("route", TABLE, ids=lambda route: route.path)
def test_options_and_wrong_methods(keystone_app: Any, tokens: dict[str, str], route: Route) -> None:
    methods = {*route.operations, *(["HEAD"] if "GET" in route.operations else [])}
    headers = {"X-Bootaction-Key": "0" * 64}
    client = with_token(keystone_app, tokens["admin"])
    options = Client(keystone_app, {})("OPTIONS", filled(route.path))
    assert options.status_code == 200
    assert set(options.headers["Allow"].split(", ")) == methods
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
        result = client(method, filled(route.path), headers=headers)
        assert (result.status_code, result.json["reason"]) == (405, "method_not_allowed")
        assert set(result.headers["Allow"].split(", ")) >= methods
        assert result.json["type"] == "error"


@pytest.mark.parametrize(
    "path", ["//", "//nothing", "//api", "/nothing", "/tasks/a/b/c", "//api/v2.0/tasks", "/bootdata/n"]
)
def test_an_unknown_path_is_404_in_our_shape(nobody: Client, path: str) -> None:
    result = nobody.get(path)
    assert (result.status_code, result.json["reason"], result.json["kind"]) == (404, "not_found", "Status")


def test_the_stack_believes_no_header_at_all(nobody: Client) -> None:
    for header in IDENTITY_HEADERS:
        for spelling in (header, header.replace("-", "_"), header.lower(), header.upper()):
            headers = {**forged(), spelling: "Confirmed"}
            assert nobody.get("/tasks", headers=headers).status_code == 401
