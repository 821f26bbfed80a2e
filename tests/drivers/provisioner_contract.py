"""What every node provisioner promises.

A member provides the fixtures ``provisioner``, ``node`` (a machine that was never seen, off, and known to the rack),
``boot_from_network`` (does to a machine what its BMC would) and ``user_data`` (of a deployment that succeeds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from drydock.drivers.node.base import (
    Deployment,
    NodeProvisioner,
    NodeState,
    Progress,
    ProgressState,
    ProvisionedNode,
    ProvisionedSite,
)
from tests.eventually import eventually

BootFromNetwork = Callable[[ProvisionedNode], None]


def only(answer: Mapping[str, Progress]) -> Progress:
    """Of the one node that was asked about."""
    (progress,) = answer.values()
    return progress


def ends(ask: Callable[[], Mapping[str, Progress]]) -> Progress:
    return eventually(lambda: only(ask()), lambda progress: progress.state is not ProgressState.PENDING)


def reaches(provisioner: NodeProvisioner, node: ProvisionedNode, state: NodeState) -> None:
    eventually(lambda: provisioner.observe([node.name])[node.name].state, lambda seen: seen is state)


class NodeProvisionerContract:
    def test_works(self, provisioner: NodeProvisioner) -> None:
        provisioner.check()
        assert provisioner.name

    def test_prepares_the_site_twice(self, provisioner: NodeProvisioner) -> None:
        network = {"cidr": "10.1.0.0/16", "vlan": None, "mtu": 1500, "gateway": None, "ranges": [], "dns_servers": None}
        site = ProvisionedSite(
            networks={"pxe": network},
            links={"pxe": {"mtu": 1500, "networks": ["pxe"], "native_network": "pxe"}},
            tags={},
            repositories=None,
            remove_unlisted=False,
            authorized_keys=(),
        )
        for _ in range(2):
            assert ends(lambda: {"site": provisioner.prepare_site(site)}).state is ProgressState.SUCCEEDED

    def test_waits_for_a_machine_that_has_not_started(
        self, provisioner: NodeProvisioner, node: ProvisionedNode
    ) -> None:
        for progress in (only(provisioner.identify([node])), only(provisioner.identify([node]))):
            assert progress.state is ProgressState.PENDING
            assert node.name in progress.reason

    def test_identifies_and_commissions(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, boot_from_network: BootFromNetwork
    ) -> None:
        boot_from_network(node)
        assert ends(lambda: provisioner.identify([node])).state is ProgressState.SUCCEEDED
        assert ends(lambda: provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED
        assert only(provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED
        assert only(provisioner.identify([node])).state is ProgressState.SUCCEEDED
        assert provisioner.observe([node.name])[node.name].state is NodeState.READY

    def test_applies_settings_twice(self, provisioner: NodeProvisioner, node: ProvisionedNode) -> None:
        for verb in (provisioner.apply_networking, provisioner.apply_storage, provisioner.apply_platform):
            assert ends(lambda verb=verb: verb([node])).state is ProgressState.SUCCEEDED
            assert ends(lambda verb=verb: verb([node])).state is ProgressState.SUCCEEDED

    def test_deploys_once_however_often_it_is_told(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str
    ) -> None:
        deployment = Deployment(f"d-{node.name}", node.name, user_data)
        assert only(provisioner.deploy([deployment])).state is ProgressState.SUCCEEDED
        assert provisioner.observe([node.name])[node.name].state is NodeState.DEPLOYING
        assert only(provisioner.deploy([deployment])).state is ProgressState.SUCCEEDED
        reaches(provisioner, node, NodeState.DEPLOYED)
        assert only(provisioner.deploy([deployment])).state is ProgressState.SUCCEEDED
        observation = provisioner.observe([node.name])[node.name]
        assert observation.state is NodeState.DEPLOYED
        assert observation.deployment_id == deployment.id
        assert observation.last_contact is not None
        assert observation.last_contact.tzinfo is not None

    def test_a_new_deployment_replaces_the_old_one(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str
    ) -> None:
        for number in (1, 2):
            provisioner.deploy([Deployment(f"d-{node.name}-{number}", node.name, user_data)])
            reaches(provisioner, node, NodeState.DEPLOYED)
            assert provisioner.observe([node.name])[node.name].deployment_id == f"d-{node.name}-{number}"

    def test_destroys_and_deploys_again(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str
    ) -> None:
        provisioner.deploy([Deployment(f"d-{node.name}-1", node.name, user_data)])
        reaches(provisioner, node, NodeState.DEPLOYED)
        assert ends(lambda: provisioner.destroy([node.name])).state is ProgressState.SUCCEEDED
        assert only(provisioner.destroy([node.name])).state is ProgressState.SUCCEEDED
        released = provisioner.observe([node.name])[node.name]
        assert released.deployment_id is None
        assert released.state in (NodeState.POWERED_OFF, NodeState.READY)
        provisioner.deploy([Deployment(f"d-{node.name}-2", node.name, user_data)])
        reaches(provisioner, node, NodeState.DEPLOYED)

    def test_destroys_what_it_does_not_know(self, provisioner: NodeProvisioner) -> None:
        assert only(provisioner.destroy(["never-heard-of"])).state is ProgressState.SUCCEEDED

    def test_answers_for_each_of_many_nodes(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str
    ) -> None:
        """What is wrong with one of them is its own answer. So many at once as it says."""
        nodes = [node, *(replace(node, name=f"{node.name}-{letter}") for letter in "bc")][: provisioner.at_once]
        names = [one.name for one in nodes]
        for verb in (
            provisioner.identify,
            provisioner.configure_hardware,
            provisioner.apply_networking,
            provisioner.apply_storage,
            provisioner.apply_platform,
        ):
            assert list(verb(nodes)) == names
        started = provisioner.deploy([Deployment(f"d-{name}", name, user_data) for name in names])
        assert started == dict.fromkeys(names, Progress(ProgressState.SUCCEEDED))
        assert list(provisioner.destroy(names)) == names

    def test_observes_everything_asked_for(self, provisioner: NodeProvisioner, node: ProvisionedNode) -> None:
        names = [node.name, "never-heard-of", "nor-of-this-one"]
        seen = provisioner.observe(names)
        assert list(seen) == names
        assert {observation.state for observation in seen.values()} == {NodeState.UNKNOWN}
        assert [observation.node for observation in seen.values()] == names
        assert provisioner.observe([]) == {}

    def test_lists_nodes(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, boot_from_network: BootFromNetwork
    ) -> None:
        boot_from_network(node)
        ends(lambda: provisioner.identify([node]))
        (row,) = [row for row in provisioner.list_nodes() if row.hostname == node.name]
        assert row.memory > 0
        assert row.cpu_count > 0
        assert row.power_state == "on"
        assert len(row.boot_mac.split(":")) == 6

    def test_lists_images_with_their_kernels(self, provisioner: NodeProvisioner, node: ProvisionedNode) -> None:
        images = provisioner.list_images()
        assert len({image.name for image in images}) == len(images)
        (wanted,) = [image for image in images if image.name == node.image]
        assert node.kernel in wanted.kernels
