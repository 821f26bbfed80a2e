"""Images by name from a real Glance, whose catalogue entry a real Keystone has; installed by a real Ironic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from dev import keystone as keystone_server
from dev.keystone import DOMAIN, KeystoneServer
from dev.peers import packages
from dev.peers.glance_server import GlanceServer
from dev.peers.ironic_server import IronicServer
from drydock.drivers.node.base import Image
from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.progress import ProgressState
from drydock.errors import DriverRefused
from tests.drivers.ironic_peer import HARDWARE, Operator, mac_of, running
from tests.drivers.provisioner_contract import ends, only
from tests.factories.provisioning import deployment, node_plan

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]

Upload = Callable[..., str]


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeystoneServer]:
    """One of its own: Glance is registered in its catalogue."""
    with keystone_server.start(tmp_path_factory.mktemp("keystone") / "state") as server:
        yield server


@pytest.fixture(scope="module")
def glance(tmp_path_factory: pytest.TempPathFactory, identity: KeystoneServer) -> Iterator[GlanceServer]:
    """Two images a page."""
    try:
        server = GlanceServer(tmp_path_factory.mktemp("glance"), identity, page=2)
    except packages.Unavailable as error:
        pytest.skip(f"Glance cannot be installed: {error}")
    with server:
        identity.register("image", "glance", server.url)
        yield server


@pytest.fixture
def http(identity: KeystoneServer) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["X-Auth-Token"] = identity.token("admin")
        yield session


@pytest.fixture
def upload(glance: GlanceServer, http: requests.Session) -> Iterator[Upload]:
    """Makes an image that is to be had by all projects, with ``more`` as properties; answers its identity."""
    made: list[str] = []

    def add(name: str | None, **more: Any) -> str:
        row = {"visibility": "public", "container_format": "bare", "disk_format": "raw", **more}
        answer = http.post(f"{glance.url}/v2/images", json=row if name is None else {**row, "name": name})
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])
        octets = {"Content-Type": "application/octet-stream"}
        sent = http.put(f"{glance.url}/v2/images/{made[-1]}/file", data=f"image {name}".encode(), headers=octets)
        assert sent.status_code == 204, sent.text
        return made[-1]

    yield add
    for image in made:
        http.delete(f"{glance.url}/v2/images/{image}")


def connected(identity: KeystoneServer, **more: object) -> IronicProvisioner:
    """As a reader: the role ``service`` alone may not list images."""
    account = identity.users["reader"]
    options = {
        "auth_type": "password",
        "auth_url": identity.auth_url,
        "username": account.name,
        "password": account.password,
        "user_domain_name": DOMAIN,
        "project_name": account.project,
        "project_domain_name": DOMAIN,
        "glance": True,
        "hardware_types": HARDWARE,
        "timeout": 60.0,
    }
    return IronicProvisioner(IronicSettings.from_options({**options, **more}))


def test_names_and_their_kernels_over_several_pages(
    glance: GlanceServer, identity: KeystoneServer, upload: Upload
) -> None:
    upload("jammy", kernels="ga-22.04, hwe-22.04")
    upload("focal")
    upload(None)
    upload("bionic", kernels="ga-18.04")
    images = connected(identity).list_images()
    assert images is not None
    assert {image.name: image.kernels for image in images} == {
        "jammy": ("ga-22.04", "hwe-22.04"), "focal": (), "bionic": ("ga-18.04",),
    }  # fmt: skip


def test_a_glance_without_images_offers_none(glance: GlanceServer, identity: KeystoneServer) -> None:
    """Which is known, and not that there is no list."""
    assert connected(identity).list_images() == []


def test_an_image_that_is_deactivated_or_not_uploaded_is_not_offered(
    glance: GlanceServer, identity: KeystoneServer, upload: Upload, http: requests.Session
) -> None:
    upload("jammy", kernels="old")
    newer = upload("jammy", kernels="new")
    queued = http.post(f"{glance.url}/v2/images", json={"name": "queued", "visibility": "public"}).json()["id"]
    assert connected(identity).list_images() == [Image("jammy", ("new",))]
    http.post(f"{glance.url}/v2/images/{newer}/actions/deactivate").raise_for_status()
    assert connected(identity).list_images() == [Image("jammy", ("old",))]
    http.post(f"{glance.url}/v2/images/{newer}/actions/reactivate").raise_for_status()
    assert connected(identity).list_images() == [Image("jammy", ("new",))]
    http.delete(f"{glance.url}/v2/images/{queued}").raise_for_status()


def test_what_ironic_is_given(glance: GlanceServer, identity: KeystoneServer, upload: Upload, tmp_path: Path) -> None:
    """The identity of the newest of that name, from which Ironic itself reads the checksum; kernel and ramdisk."""
    upload("jammy", kernels="hwe-22.04")
    kernel, ramdisk = upload("kernel"), upload("ramdisk")
    more = {
        "kernel_id": kernel,
        "ramdisk_id": ramdisk,
        "architecture": "x86_64",
        "kernel_params": "quiet console=ttyS0",
    }
    wanted = upload("jammy", kernels="hwe-22.04", **more)
    with running(tmp_path) as ironic:
        provisioner = connected(identity, endpoint_override=ironic.url)
        info = installed(provisioner, ironic, tmp_path)
    given = {name: info.get(name) for name in ("image_source", "image_type", "kernel", "ramdisk")}
    assert given == {"image_source": wanted, "image_type": "partition", "kernel": kernel, "ramdisk": ramdisk}


def test_parameters_and_kernels_that_the_image_has_not(
    glance: GlanceServer, identity: KeystoneServer, upload: Upload, tmp_path: Path
) -> None:
    """Nothing is claimed, and nothing installed."""
    with running(tmp_path) as ironic:
        provisioner = connected(identity, endpoint_override=ironic.url)
        node = made_ready(provisioner)
        wanted = replace(node, kernel_params="console=ttyS0 isolcpus=2-7")
        upload("jammy", kernels="hwe-22.04", kernel_params="console=ttyS0")
        refused = only(provisioner.deploy([deployment(wanted, str(uuid4()))]))
        assert refused.state is ProgressState.FAILED
        assert "is not started with the kernel parameters isolcpus=2-7" in refused.reason
        refused = only(provisioner.deploy([deployment(replace(node, kernel="ga-22.04"), str(uuid4()))]))
        assert (refused.state, refused.reason) == (
            ProgressState.FAILED, "g01: the image jammy has no kernel 'ga-22.04'; it has hwe-22.04",
        )  # fmt: skip
        seen = Operator(ironic, tmp_path).node("g01")
        assert (seen["instance_uuid"], seen["provision_state"]) == (None, "available")


def test_an_account_that_may_not_list_images(glance: GlanceServer, identity: KeystoneServer) -> None:
    service = identity.users["drydock"]
    account = {"username": service.name, "password": service.password, "project_name": service.project}
    with pytest.raises(DriverRefused, match=r"GET images: status 403: (?i:forbidden)"):
        connected(identity, **account).list_images()


def made_ready(provisioner: IronicProvisioner) -> ProvisionedNode:
    node = node_plan("g01", bmc=BmcAccess("g01", "fake", "192.0.2.1"), boot_mac=mac_of("g01"))
    assert ends(lambda: provisioner.enroll([node])).state is ProgressState.SUCCEEDED
    assert ends(lambda: provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED
    return node


def installed(provisioner: IronicProvisioner, ironic: IronicServer, directory: Path) -> dict[str, Any]:
    """What Ironic knows of the image that it installs."""
    node = made_ready(provisioner)
    assert only(provisioner.deploy([deployment(node, str(uuid4()))])).state is ProgressState.SUCCEEDED
    return dict(Operator(ironic, directory).node("g01")["instance_info"])
