"""How long a conversation with a BMC over Redfish takes, whatever the BMC does. The BMC is the test's own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev.peers.certificates import Authority
from drydock.drivers.oob.base import BmcAccess, PowerState
from drydock.drivers.oob.redfish_facts import MOST_DISKS, MOST_NICS
from drydock.errors import DriverUnavailable
from tests.factories.drivers import redfish_driver
from tests.http_peer import Answer, Request, dripping, serving

pytest.importorskip("sushy", reason="sushy is not installed")

ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/1"
BMC = BmcAccess("n01", "redfish", None, "root", "not-a-secret")


def link(path: str) -> dict[str, str]:
    return {"@odata.id": path}


def collection(path: str, kind: str, number: int) -> dict[str, Any]:
    return {"Name": kind, "Members": [link(f"{path}/{kind}{index}") for index in range(number)]}


def bmc(*, drives: int, nics: int) -> Callable[[str], dict[str, Any]]:
    """The document at each path."""
    fixed: dict[str, dict[str, Any]] = {
        ROOT: {"Id": "1", "Name": "x", "RedfishVersion": "1.6.0", "Systems": link(f"{ROOT}/Systems")},
        SYSTEM: {
            "Id": "1",
            "Name": "x",
            "Manufacturer": "Acme",
            "PowerState": "Off",
            "EthernetInterfaces": link(f"{SYSTEM}/nics"),
            "Storage": link(f"{SYSTEM}/storage"),
        },
        f"{SYSTEM}/nics": collection(f"{SYSTEM}/nics", "nic", nics),
        f"{SYSTEM}/storage": collection(f"{SYSTEM}/storage", "controller", 1),
        f"{SYSTEM}/storage/controller0": {
            "Id": "0",
            "Name": "x",
            "Drives": [link(f"{SYSTEM}/drives/drive{index}") for index in range(drives)],
        },
    }

    def document(path: str) -> dict[str, Any]:
        path = path.rstrip("/")
        number = int(path.rpartition("c")[2]) if "/nic" in path and path[-1].isdigit() else 0
        member = {"Id": path[-4:], "Name": "x", "CapacityBytes": 10**9}
        return fixed.get(path) or {**member, "MACAddress": f"02:00:00:00:{number // 256:02X}:{number % 256:02X}"}

    return document


def test_members_are_cut_before_they_are_read() -> None:
    documents = bmc(drives=MOST_DISKS + 40, nics=MOST_NICS + 40)
    with serving(lambda request: Answer(body=json.dumps(documents(request.path)).encode())) as peer:
        facts = redfish_driver(endpoint=peer.url(), system=SYSTEM, timeout=30).facts(BMC)
    assert facts.disks is not None
    assert facts.nics is not None
    assert (len(facts.disks), len(facts.nics)) == (MOST_DISKS, MOST_NICS)
    read = [path for path in peer.paths("GET") if "/drives/" in path or "/nics/" in path]
    assert len(read) == MOST_DISKS + MOST_NICS


def test_facts_of_a_slow_bmc_end_in_time() -> None:
    """What there was no time for is not known, and the next verb has time again."""
    documents = bmc(drives=100, nics=2)

    def answer(request: Request) -> Answer:
        slow = 0.4 if "/drives/" in request.path else 0
        return Answer(body=json.dumps(documents(request.path)).encode(), after=slow)

    with serving(answer) as peer:
        driver = redfish_driver(endpoint=peer.url(), system=SYSTEM, timeout=1)
        began = time.monotonic()
        facts = driver.facts(BMC)
        assert time.monotonic() - began < 10
        assert (facts.vendor, facts.disks, len(facts.nics or ())) == ("Acme", None, 2)
        assert driver.power_state(BMC) is PowerState.OFF


def test_headers_that_trickle_end_in_time() -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ") as peer:
        began = time.monotonic()
        with pytest.raises(DriverUnavailable, match=r"^n01: power_state: the BMC did not answer in time"):
            redfish_driver(endpoint=peer.url(), system=SYSTEM, timeout=0.5).power_state(BMC)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("part", ["body", "headers"])
def test_what_trickles_over_tls_ends_in_time(tmp_path: Path, part: str) -> None:
    authority = Authority(tmp_path)
    body = json.dumps(bmc(drives=0, nics=0)(ROOT)).encode()
    slow = Answer(body=body, pace=0.05) if part == "body" else Answer(body=body, head_pace=0.05)
    with serving(lambda request: slow, certificate=authority.issue("bmc")) as peer:
        driver = redfish_driver(endpoint=peer.url(), system=SYSTEM, ca_file=str(authority.certificate), timeout=0.5)
        began = time.monotonic()
        with pytest.raises(DriverUnavailable, match="did not answer in time"):
            driver.power_state(BMC)
        assert time.monotonic() - began < 5
