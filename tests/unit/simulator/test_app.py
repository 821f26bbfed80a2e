"""The simulator's HTTP, in process: what it shows, and what bad input gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from falcon import testing

from drydock.simulator.server import Plan, build

SYSTEM = "/redfish/v1/Systems/n01"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
ACCOUNT, PASSWORD = "admin", "correct-horse"


def client(tmp_path: Path, **plan: object) -> testing.TestClient:
    """The scheduler stands still: nothing moves but by what is asked for."""
    app, _ = build(Plan(tmp_path, **plan))  # type: ignore[arg-type]
    return testing.TestClient(app)


@pytest.fixture
def rack(tmp_path: Path) -> testing.TestClient:
    return client(tmp_path, machines=("n01",))


def test_health_and_machines(rack: testing.TestClient) -> None:
    assert rack.simulate_get("/health").json == {"status": "ok", "machines": 1}
    assert rack.simulate_get("/machines?fields=name,state").json == [{"name": "n01", "state": "off"}]
    machine = rack.simulate_get("/machines/n01").json
    wanted = {"name", "power", "state", "faults", "boot_device", "user_data", "deployment_id", "fetched", "reported"}
    assert wanted <= set(machine)


def test_machines_are_added_once(rack: testing.TestClient) -> None:
    assert rack.simulate_post("/machines", json={"name": "n02"}).status_code == 201
    assert rack.simulate_post("/machines", json={"name": "n02"}).status_code == 200
    assert [row["name"] for row in rack.simulate_get("/machines").json] == ["n01", "n02"]


def test_faults_are_replaced(rack: testing.TestClient) -> None:
    assert rack.simulate_put("/machines/n01/faults", json={"faults": ["bmc_hangs:2"]}).json["faults"] == ["bmc_hangs:2"]
    assert rack.simulate_put("/machines/n01/faults", json={"faults": []}).json["faults"] == []


def test_a_machine_goes_by_its_uuid_too(rack: testing.TestClient) -> None:
    uuid = rack.simulate_get("/machines/n01").json["uuid"]
    assert rack.simulate_get(f"/redfish/v1/Systems/{uuid}").json["Name"] == "n01"


@pytest.mark.parametrize("path", ["/redfish/v1", "/redfish/v1/", "/redfish/v1/Systems/", SYSTEM + "/"])
def test_trailing_slashes_do_not_matter(rack: testing.TestClient, path: str) -> None:
    assert rack.simulate_get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("GET", "/machines/n02", None, 404),
        ("PUT", "/machines/n02/faults", {"faults": []}, 404),
        ("POST", "/machines", None, 400),
        ("POST", "/machines", {}, 400),
        ("POST", "/machines", [], 400),
        ("POST", "/machines", {"name": "../x"}, 400),
        ("POST", "/machines", {"name": 7}, 400),
        ("PUT", "/machines/n01/faults", {}, 400),
        ("PUT", "/machines/n01/faults", {"faults": "bmc_hangs"}, 400),
        ("PUT", "/machines/n01/faults", {"faults": ["burns"]}, 400),
        ("DELETE", "/machines", None, 405),
        ("GET", "/redfish/v1/Systems/n02", None, 404),
        ("GET", "/redfish/v1/Systems/..", None, 404),
        ("GET", f"{SYSTEM}/EthernetInterfaces/9", None, 404),
        ("POST", RESET, None, 400),
        ("POST", RESET, {}, 400),
        ("POST", RESET, {"ResetType": "Explode"}, 400),
        ("POST", RESET, {"ResetType": ["On"]}, 400),
        ("PATCH", SYSTEM, {"Boot": {"BootSourceOverrideTarget": "Tape"}}, 400),
        ("PATCH", SYSTEM, {"Boot": {"BootSourceOverrideEnabled": "Perhaps"}}, 400),
        ("PATCH", SYSTEM, {"AssetTag": "x"}, 400),
        ("PUT", "/provisioner/v1/settings/colours", {"nodes": {}}, 404),
        ("PUT", "/provisioner/v1/settings/storage", [], 400),
        ("PUT", "/provisioner/v1/deployments", {"nodes": [{"id": "d1"}]}, 400),
        ("POST", "/provisioner/v1/identify", {"nodes": "n01"}, 400),
        ("POST", "/provisioner/v1/destroy", None, 400),
        ("POST", "/provisioner/v1/observations", {"nodes": [1]}, 400),
        ("POST", "/provisioner/v1/observations", {}, 400),
    ],
)
def test_bad_input(rack: testing.TestClient, method: str, path: str, body: object, status: int) -> None:
    answer = rack.simulate_request(method, path, json=body) if body is not None else rack.simulate_request(method, path)
    assert answer.status_code == status
    assert answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("method", "verb", "name", "wanted", "reason"),
    [
        ("POST", "identify", "n02", None, "there is no machine 'n02'"),
        ("PUT", "settings/storage", "n01", [], "settings must be an object"),
        ("PUT", "deployments", "n01", {"user_data": ""}, "id: text of your choice, another for each deployment"),
        ("PUT", "deployments", "n01", {"id": "d1"}, "user_data: text, empty for none"),
        ("PUT", "deployments", "n02", {"id": "d1", "user_data": ""}, "there is no machine 'n02'"),
    ],
)
def test_what_is_wrong_with_one_machine_is_its_own_answer(
    rack: testing.TestClient, method: str, verb: str, name: str, wanted: object, reason: str
) -> None:
    answer = rack.simulate_request(method, f"/provisioner/v1/{verb}", json={"nodes": {name: wanted}})
    assert answer.status_code == 200
    assert answer.json == {name: {"state": "failed", "reason": reason}}


def test_a_body_that_is_not_json(rack: testing.TestClient) -> None:
    for method, path in (("POST", "/machines"), ("POST", RESET), ("PATCH", SYSTEM)):
        answer = rack.simulate_request(method, path, body="{", headers={"Content-Type": "application/json"})
        assert answer.status_code == 400


def test_a_rack_on_demand_has_what_is_asked_for(tmp_path: Path) -> None:
    rack = client(tmp_path, on_demand=True, faults={"n07": ["bmc_unavailable:1"]})
    assert rack.simulate_get("/redfish/v1/Systems/n01").json["PowerState"] == "Off"
    assert rack.simulate_get("/redfish/v1/Systems/n07").status_code == 503
    assert rack.simulate_get("/redfish/v1/Systems/n07").status_code == 200
    answer = rack.simulate_post("/provisioner/v1/identify", json={"nodes": {"n02": None}}).json
    assert answer["n02"]["state"] == "pending"
    assert rack.simulate_get("/redfish/v1/Systems/-x-").status_code == 400
    assert [row["name"] for row in rack.simulate_get("/machines").json] == ["n01", "n07", "n02"]
    assert rack.simulate_get("/machines/n03").status_code == 404


def test_bmc_credentials(tmp_path: Path) -> None:
    rack = client(tmp_path, machines=("n01",), bmc_credentials=(ACCOUNT, PASSWORD))
    assert rack.simulate_get("/redfish/v1").status_code == 200
    assert rack.simulate_get("/machines").status_code == 200
    assert rack.simulate_get(SYSTEM).status_code == 401
    assert rack.simulate_get(SYSTEM).headers["WWW-Authenticate"].startswith("Basic")
    for headers in ({"Authorization": "Basic"}, {"Authorization": "Basic é"}, {"Authorization": "Bearer abc"}):
        assert rack.simulate_get(SYSTEM, headers=headers).status_code == 401
    good = {"Authorization": "Basic YWRtaW46Y29ycmVjdC1ob3JzZQ=="}
    assert rack.simulate_get(SYSTEM, headers=good).status_code == 200


def test_a_change_of_power_takes_time(rack: testing.TestClient) -> None:
    assert rack.simulate_post(RESET, json={"ResetType": "On"}).status_code == 204
    assert rack.simulate_get(SYSTEM).json["PowerState"] == "PoweringOn"
    rack.simulate_post(RESET, json={"ResetType": "ForceOff"})
    assert rack.simulate_get("/machines/n01").json["power"] == "off"


def test_mac_addresses_differ(tmp_path: Path) -> None:
    rack = client(tmp_path, machines=tuple(f"n{number}" for number in range(2000)))
    macs = [row["boot_mac"] for row in rack.simulate_get("/provisioner/v1/nodes").json]
    assert len(set(macs)) == 2000
