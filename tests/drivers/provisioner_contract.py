"""What every node provisioner promises.

A member provides the fixtures ``provisioner``, ``node`` (a machine that was never seen, off, and known to the rack),
``boot_from_network`` (does to a machine what its BMC would) and ``user_data`` (of a deployment that succeeds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from uuid import NAMESPACE_OID, uuid5

import pytest

from drydock.drivers.node.base import NodeProvisioner, NodeState, Verb
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.progress import Progress, ProgressState
from drydock.model.cleaning import Cleaning
from drydock.model.hardware_facts import HardwareFacts
from tests.contract_matrix import Contract
from tests.eventually import eventually
from tests.factories.provisioning import deployment, site_plan

BootFromNetwork = Callable[[ProvisionedNode], None]


def only(answer: Mapping[str, Progress]) -> Progress:
    """Of the one node that was asked about."""
    (progress,) = answer.values()
    return progress


def ends(ask: Callable[[], Mapping[str, Progress]]) -> Progress:
    return eventually(lambda: only(ask()), lambda progress: progress.state is not ProgressState.PENDING)


def reaches(provisioner: NodeProvisioner, node: ProvisionedNode, state: NodeState) -> None:
    eventually(lambda: provisioner.observe([node.name])[node.name].state, lambda seen: seen is state)


def identity(text: str) -> str:
    """The id of a deployment, which is a UUID as those of tasks are."""
    return str(uuid5(NAMESPACE_OID, text))


def prepare(provisioner: NodeProvisioner, node: ProvisionedNode) -> None:
    """What prepare_nodes does before a deployment, where the provisioner needs no machine that was seen."""
    if provisioner.capabilities.owns_power:
        assert ends(lambda: provisioner.enroll([node])).state is ProgressState.SUCCEEDED
        assert ends(lambda: provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED


class NodeProvisionerContract(Contract):
    family = "node provisioners"

    def test_works(self, provisioner: NodeProvisioner) -> None:
        provisioner.check()
        assert provisioner.name

    def test_says_how_many_nodes_each_verb_takes(self, provisioner: NodeProvisioner) -> None:
        assert all(size > 0 for size in provisioner.capabilities.at_once.values())
        assert set(provisioner.capabilities.at_once) <= set(Verb)

    def test_can_do_what_a_plain_node_needs(self, provisioner: NodeProvisioner, node: ProvisionedNode) -> None:
        assert list(provisioner.unsupported(node)) == []

    def test_prepares_the_site_twice(self, provisioner: NodeProvisioner) -> None:
        site = site_plan()
        for _ in range(2):
            assert ends(lambda: {"site": provisioner.prepare_site(site)}).state is ProgressState.SUCCEEDED

    def test_waits_for_a_machine_that_has_not_started(
        self, provisioner: NodeProvisioner, node: ProvisionedNode
    ) -> None:
        """Unless it is given machines, and waits for none."""
        for progress in (only(provisioner.enroll([node])), only(provisioner.enroll([node]))):
            if provisioner.capabilities.owns_power:
                assert progress.state is not ProgressState.FAILED
            else:
                assert progress.state is ProgressState.PENDING
                assert node.name in progress.reason

    def test_enrolls_and_makes_ready(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, boot_from_network: BootFromNetwork
    ) -> None:
        boot_from_network(node)
        assert ends(lambda: provisioner.enroll([node])).state is ProgressState.SUCCEEDED
        assert ends(lambda: provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED
        assert only(provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED
        assert only(provisioner.enroll([node])).state is ProgressState.SUCCEEDED
        assert provisioner.observe([node.name])[node.name].state is NodeState.READY

    def test_looks_once_more_into_a_machine_that_it_knows(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, boot_from_network: BootFromNetwork
    ) -> None:
        """Once for each text, however often the verb is repeated with it."""
        boot_from_network(node)
        ends(lambda: provisioner.enroll([node]))
        ends(lambda: provisioner.configure_hardware([node]))
        for reason in ("task 1", "task 2"):
            again = {node.name: reason}
            assert ends(lambda again=again: provisioner.configure_hardware([node], again)).state is (  # type: ignore[misc]
                ProgressState.SUCCEEDED
            )
            assert only(provisioner.configure_hardware([node], again)).state is ProgressState.SUCCEEDED
        assert provisioner.observe([node.name])[node.name].state is NodeState.READY

    def test_tells_what_it_found(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, boot_from_network: BootFromNetwork
    ) -> None:
        """Of a machine that it made ready; of others there is nothing, and that is no error."""
        assert provisioner.facts([node.name, "never-heard-of"]) == {}
        boot_from_network(node)
        ends(lambda: provisioner.enroll([node]))
        ends(lambda: provisioner.configure_hardware([node]))
        found = provisioner.facts([node.name])
        assert set(found) <= {node.name}
        assert all(isinstance(facts, HardwareFacts) for facts in found.values())

    def test_applies_settings_twice(self, provisioner: NodeProvisioner, node: ProvisionedNode) -> None:
        for verb in (provisioner.apply_networking, provisioner.apply_storage, provisioner.apply_platform):
            for _ in range(2):
                assert ends(partial(verb, [node])).state is ProgressState.SUCCEEDED

    def test_deploys_once_however_often_it_is_told(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str
    ) -> None:
        prepare(provisioner, node)
        wanted = deployment(node, identity(f"d-{node.name}"), user_data)
        assert only(provisioner.deploy([wanted])).state is ProgressState.SUCCEEDED
        assert provisioner.observe([node.name])[node.name].state is NodeState.DEPLOYING
        assert only(provisioner.deploy([wanted])).state is ProgressState.SUCCEEDED
        reaches(provisioner, node, NodeState.DEPLOYED)
        assert only(provisioner.deploy([wanted])).state is ProgressState.SUCCEEDED
        observation = provisioner.observe([node.name])[node.name]
        assert observation.state is NodeState.DEPLOYED
        assert observation.deployment_id == wanted.id
        assert observation.last_contact is not None
        assert observation.last_contact.tzinfo is not None

    def test_a_new_deployment_replaces_the_old_one(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str
    ) -> None:
        prepare(provisioner, node)
        for number in (1, 2):
            wanted = deployment(node, identity(f"d-{node.name}-{number}"), user_data)
            assert ends(partial(provisioner.deploy, [wanted])).state is ProgressState.SUCCEEDED
            reaches(provisioner, node, NodeState.DEPLOYED)
            assert provisioner.observe([node.name])[node.name].deployment_id == identity(f"d-{node.name}-{number}")

    def test_destroys_and_deploys_again(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str
    ) -> None:
        prepare(provisioner, node)
        provisioner.deploy([deployment(node, identity(f"d-{node.name}-1"), user_data)])
        reaches(provisioner, node, NodeState.DEPLOYED)
        assert ends(lambda: provisioner.destroy([node.name])).state is ProgressState.SUCCEEDED
        assert only(provisioner.destroy([node.name])).state is ProgressState.SUCCEEDED
        released = provisioner.observe([node.name])[node.name]
        assert released.deployment_id is None
        assert released.state in (NodeState.POWERED_OFF, NodeState.READY)
        provisioner.deploy([deployment(node, identity(f"d-{node.name}-2"), user_data)])
        reaches(provisioner, node, NodeState.DEPLOYED)

    def test_proves_a_cleaning_the_same_each_time(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str
    ) -> None:
        """Or has no proof. Of what it does not know there is none, and that is no error."""
        assert provisioner.cleaned([node.name, "never-heard-of"]) == {}
        prepare(provisioner, node)
        provisioner.deploy([deployment(node, identity(f"d-{node.name}"), user_data)])
        reaches(provisioner, node, NodeState.DEPLOYED)
        assert ends(lambda: provisioner.destroy([node.name])).state is ProgressState.SUCCEEDED
        found = provisioner.cleaned([node.name, "never-heard-of"])
        assert set(found) <= {node.name}
        assert all(isinstance(cleaning, Cleaning) for cleaning in found.values())
        assert provisioner.cleaned([node.name]) == found

    def test_destroys_what_it_does_not_know(self, provisioner: NodeProvisioner) -> None:
        assert only(provisioner.destroy(["never-heard-of"])).state is ProgressState.SUCCEEDED

    @pytest.mark.parametrize("verb", list(Verb))
    def test_answers_for_each_of_many_nodes(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str, verb: Verb
    ) -> None:
        """As many as it takes in one call. What is wrong with one of them is its own answer."""
        many = [node, *(replace(node, name=f"{node.name}-{letter}") for letter in "bc")]
        nodes = many[: provisioner.capabilities.at_once.get(verb, 1)]
        names = [one.name for one in nodes]
        calls: Mapping[Verb, Callable[[], Mapping[str, Progress]]] = {
            Verb.ENROLL: lambda: provisioner.enroll(nodes),
            Verb.CONFIGURE_HARDWARE: lambda: provisioner.configure_hardware(nodes),
            Verb.APPLY_NETWORKING: lambda: provisioner.apply_networking(nodes),
            Verb.APPLY_STORAGE: lambda: provisioner.apply_storage(nodes),
            Verb.APPLY_PLATFORM: lambda: provisioner.apply_platform(nodes),
            Verb.DEPLOY: lambda: provisioner.deploy(
                [deployment(one, identity(f"d-{one.name}"), user_data) for one in nodes]
            ),
            Verb.STOP: lambda: provisioner.stop(names),
            Verb.DESTROY: lambda: provisioner.destroy(names),
        }
        assert list(calls[verb]()) == names

    def test_stops_a_machine_that_is_being_installed(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, user_data: str
    ) -> None:
        prepare(provisioner, node)
        provisioner.deploy([deployment(node, identity(f"d-{node.name}"), user_data)])
        assert ends(lambda: provisioner.stop([node.name])).state is ProgressState.SUCCEEDED
        assert only(provisioner.stop([node.name])).state is ProgressState.SUCCEEDED
        assert provisioner.observe([node.name])[node.name].state is not NodeState.DEPLOYED

    def test_stops_what_it_does_not_know(self, provisioner: NodeProvisioner) -> None:
        assert only(provisioner.stop(["never-heard-of"])).state is ProgressState.SUCCEEDED

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
        ends(lambda: provisioner.enroll([node]))
        (row,) = [row for row in provisioner.list_nodes() if row.hostname == node.name]
        assert row.memory > 0
        assert row.cpu_count > 0
        assert row.power_state == "on"
        assert len(row.boot_mac.split(":")) == 6

    def test_a_node_that_is_asked_for_in_other_capitals_is_found_in_the_list(
        self, provisioner: NodeProvisioner, node: ProvisionedNode, boot_from_network: BootFromNetwork
    ) -> None:
        boot_from_network(node)
        ends(lambda: provisioner.enroll([node]))
        other = node.name.upper()
        assert other != node.name
        there = [row.hostname for row in provisioner.list_nodes() if row.hostname.lower() == other.lower()]
        assert there == [node.name]
        known = provisioner.observe(there)[node.name].state
        assert known is not NodeState.UNKNOWN
        assert provisioner.observe([other])[other].state in (NodeState.UNKNOWN, known)

    def test_lists_images_with_their_kernels(self, provisioner: NodeProvisioner, node: ProvisionedNode) -> None:
        images = provisioner.list_images()
        if images is None:
            pytest.skip("the provisioner cannot tell")
        assert len({image.name for image in images}) == len(images)
        (wanted,) = [image for image in images if image.name == node.image]
        assert node.kernel in wanted.kernels
