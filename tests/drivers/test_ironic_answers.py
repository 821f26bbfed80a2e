"""Answers that a healthy Ironic does not give on request: a server of ours gives them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from drydock.drivers.node.base import NodeState
from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.progress import ProgressState
from drydock.errors import DriverBusy, DriverError, DriverRefused
from tests.factories.provisioning import node_plan
from tests.http_peer import Answer, Request, serving

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
VERSION = {"id": "v1", "status": "CURRENT", "version": "1.81", "min_version": "1.1"}
NODES = ("n1", "n2", "n3")


def row(name: str, state: str = "active", **more: object) -> dict[str, object]:
    return {"uuid": f"u-{name}", "name": name, "provision_state": state, "instance_uuid": "i", **more}


@dataclass
class Ironic:
    """``nodes``: of the list. ``answers``: by method and path below ``/v1``, else 404."""

    url: str = ""
    nodes: list[dict[str, object]] = field(default_factory=lambda: [row(name) for name in NODES])
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def answer(self, request: Request) -> Answer:
        path = urlsplit(request.path).path.rstrip("/")
        what = f"{request.method} {path.removeprefix('/v1')}"
        self.asked[what] += 1
        if what in self.answers:
            return self.answers[what]
        if path in ("", "/v1"):
            links = [{"rel": "self", "href": f"{self.url}/v1/"}]
            return reply({"id": "v1", "links": links, "version": {**VERSION, "links": links}, "versions": [
                {**VERSION, "links": links}]})  # fmt: skip
        return reply({"nodes": self.nodes}) if what == "GET /nodes" else Answer(404, b"{}")


def reply(document: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


@pytest.fixture
def ironic() -> Iterator[Ironic]:
    made = Ironic()
    with serving(made.answer) as peer:
        made.url = peer.url()
        yield made


@pytest.fixture
def driver(ironic: Ironic) -> IronicProvisioner:
    return IronicProvisioner(IronicSettings.from_options({"endpoint_override": ironic.url, "auth_type": "none"}))


@pytest.mark.parametrize("again", [reply({}, 500), reply({}, 403), reply({}, 429)])
def test_a_refused_node_that_is_then_not_shown_spoils_no_others_answer(
    ironic: Ironic, driver: IronicProvisioner, again: Answer
) -> None:
    """It is read once more, as somebody else may have been quicker."""
    ironic.answers["PUT /nodes/u-n2/states/provision"] = reply({"error_message": "no"}, 400)
    ironic.answers["GET /nodes/n2"] = again
    for name in ("n1", "n3"):
        ironic.answers[f"PUT /nodes/u-{name}/states/provision"] = Answer(202)
    found = driver.destroy(NODES)
    assert ironic.asked["GET /nodes/n2"] == 1
    assert {name: each.state for name, each in found.items()} == {
        "n1": ProgressState.PENDING,
        "n2": ProgressState.FAILED,
        "n3": ProgressState.PENDING,
    }
    assert "status 400: no" in found["n2"].reason


@pytest.mark.parametrize("history", [reply({}, 500), reply({}, 403)])
def test_a_history_that_cannot_be_read_hides_no_node(
    ironic: Ironic, driver: IronicProvisioner, history: Answer
) -> None:
    ironic.nodes[1] = row("n2", "deploy failed", last_error=None)
    ironic.answers["GET /nodes/u-n2/history"] = history
    found = driver.observe(NODES)
    assert {name: each.state for name, each in found.items()} == {
        "n1": NodeState.DEPLOYED,
        "n2": NodeState.FAILED,
        "n3": NodeState.DEPLOYED,
    }


@pytest.mark.parametrize("answer", [reply({}, 500), reply({}, 503), reply({}, 403)])
def test_an_inventory_that_cannot_be_read_hides_no_others(
    ironic: Ironic, driver: IronicProvisioner, answer: Answer
) -> None:
    for name in NODES:
        ironic.answers[f"GET /nodes/{name}/inventory"] = reply({"inventory": {"cpu": {"count": 4}}})
    ironic.answers["GET /nodes/n2/inventory"] = answer
    assert {name: facts.cpu_count for name, facts in driver.facts(NODES).items()} == {"n1": 4, "n3": 4}
    with pytest.raises(DriverError):
        driver.facts(["n2"])


def test_as_long_as_it_asks_for(ironic: Ironic, driver: IronicProvisioner) -> None:
    ironic.answers["GET /nodes"] = reply({}, 503, **{"Retry-After": "40"})
    with pytest.raises(DriverBusy) as raised:
        driver.observe(NODES)
    assert raised.value.look_in == 40


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (reply({}, 503, **{"Retry-After": "120"}), 120.0),
        (reply({}, 429, **{"Retry-After": "120"}), 120.0),
        (reply({}, 503, **{"Retry-After": "0"}), 2.0),
        (reply({}, 503), 2.0),
        (reply({}, 500), 2.0),
    ],
)
def test_as_long_as_it_asks_for_with_one_node(
    ironic: Ironic, driver: IronicProvisioner, answer: Answer, seconds: float
) -> None:
    ironic.answers["PUT /nodes/u-n2/states/provision"] = answer
    for name in ("n1", "n3"):
        ironic.answers[f"PUT /nodes/u-{name}/states/provision"] = Answer(202)
    found = driver.destroy(NODES)
    assert {each.state for each in found.values()} == {ProgressState.PENDING}
    assert {name: each.look_in for name, each in found.items()} == {"n1": 2.0, "n2": seconds, "n3": 2.0}


def test_a_hardware_type_that_no_conductor_serves(ironic: Ironic, driver: IronicProvisioner) -> None:
    """Its nodes could not be enrolled; a site without such nodes is well."""
    node = replace(node_plan("n1"), bmc=BmcAccess("n1", "ipmi", "192.0.2.1"))
    rows = [{"name": "redfish", "hosts": ["c1"]}, {"name": "ipmi", "hosts": []}]
    ironic.answers["GET /drivers"] = reply({"drivers": rows})
    driver.check()
    assert "the hardware type ipmi: no conductor of Ironic serves it" in driver.unsupported(node)
    assert not [text for text in driver.unsupported(node_plan("n1")) if "hardware type" in text]
    rows[1]["hosts"] = ["c1"]
    ironic.answers["GET /drivers"] = reply({"drivers": rows})
    driver.check()
    assert not [text for text in driver.unsupported(node) if "hardware type" in text]
    rows[0]["hosts"] = rows[1]["hosts"] = []
    ironic.answers["GET /drivers"] = reply({"drivers": rows})
    with pytest.raises(DriverRefused, match="no conductor serves the hardware types ipmi, redfish"):
        driver.check()
