"""Labels at a real API server, and what it says when it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dev.peers import kube_apiserver, packages
from dev.peers.certificates import Authority
from dev.peers.kube_apiserver import KubeApiserver
from drydock.drivers.labels.base import NodeLabels
from drydock.drivers.registry import load_labels
from drydock.errors import ConfigurationError, DriverBusy, DriverRefused, DriverUnavailable

pytest.importorskip("kubernetes", reason="kubernetes, the extra 'kubernetes', is not installed")

THEIRS = {"kubernetes.io/os": "linux"}


def no_session() -> None:
    raise AssertionError("a cluster has accounts of its own")


@dataclass
class Site:
    """The cluster, and drivers made for it."""

    cluster: KubeApiserver
    directory: Path
    made: list[NodeLabels] = field(default_factory=list)

    def labels(self, kubeconfig: Path | None = None, **options: object) -> NodeLabels:
        file = kubeconfig or self.cluster.kubeconfig("drydock")
        given = {"context": None, "field_manager": "drydock", "force": False, "timeout": 30.0, **options}
        driver = load_labels("kubernetes", {"kubeconfig": str(file), **given}, no_session)  # type: ignore[arg-type]
        self.made.append(driver)
        return driver

    def node(self, name: str) -> str:
        self.cluster.add_node(name, THEIRS)
        return name

    def managers(self, node: str) -> set[str]:
        return {
            entry["manager"] for entry in self.cluster.ask("GET", f"/api/v1/nodes/{node}")["metadata"]["managedFields"]
        }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApiserver]:
    try:
        kube_apiserver.find()
    except packages.Unavailable as error:
        pytest.skip(str(error))
    with KubeApiserver(tmp_path_factory.mktemp("kubernetes")) as running:
        running.allow("drydock", ["get", "patch"])
        running.allow("reader", ["get"])
        yield running


@pytest.fixture
def site(cluster: KubeApiserver, tmp_path: Path) -> Iterator[Site]:
    made = Site(cluster, tmp_path)
    yield made
    for driver in made.made:
        driver.close()  # type: ignore[attr-defined]


def test_labels_are_given_changed_and_removed_and_those_of_others_stay(site: Site) -> None:
    labels, node = site.labels(), site.node("given")
    labels.put(node, {"openstack-control-plane": "enabled", "zone": "a"})
    site.cluster.ask(
        "PATCH",
        f"/api/v1/nodes/{node}",
        {"metadata": {"labels": {"by-hand": "yes"}}},
        media_type="application/merge-patch+json",
    )
    labels.put(node, {"zone": "b"})
    assert site.cluster.labels(node) == {**THEIRS, "by-hand": "yes", "zone": "b"}
    labels.put(node, {})
    assert site.cluster.labels(node) == {**THEIRS, "by-hand": "yes"}


def test_the_same_again_writes_nothing(site: Site) -> None:
    labels, node = site.labels(), site.node("again")
    labels.put(node, {"zone": "a"})
    first = site.cluster.ask("GET", f"/api/v1/nodes/{node}")["metadata"]
    labels.put(node, {"zone": "a"})
    second = site.cluster.ask("GET", f"/api/v1/nodes/{node}")["metadata"]
    assert first["resourceVersion"] == second["resourceVersion"]
    assert "drydock" in site.managers(node)


def test_a_label_that_others_want_as_we_do_stays_when_we_want_it_no_more(site: Site) -> None:
    labels, node = site.labels(), site.node("shared")
    labels.put(node, THEIRS)
    labels.put(node, {})
    assert site.cluster.labels(node) == THEIRS


def test_a_label_of_somebody_else_with_another_value_is_not_overwritten(site: Site) -> None:
    labels, node = site.labels(), site.node("conflict")
    with pytest.raises(
        DriverRefused, match=r"labels of conflict: labels belong to another manager.*kubernetes.io/os.*kubelet"
    ):
        labels.put(node, {"kubernetes.io/os": "plan9", "zone": "a"})
    assert site.cluster.labels(node) == THEIRS


def test_unless_it_is_to_be_taken_over(site: Site) -> None:
    node = site.node("forced")
    site.labels(force=True).put(node, {"kubernetes.io/os": "plan9"})
    assert site.cluster.labels(node) == {"kubernetes.io/os": "plan9"}


def test_an_unknown_node_is_refused_and_not_made(site: Site) -> None:
    with pytest.raises(DriverRefused, match="labels of nosuch: the cluster has no node of this name"):
        site.labels().put("nosuch", {"zone": "a"})
    assert site.cluster.ask("GET", "/api/v1/nodes/nosuch")["code"] == 404


def test_a_node_that_goes_between_two_requests_is_not_made_anew(site: Site) -> None:
    """Even for an account that may create nodes: an apply creates what is not there."""
    site.cluster.allow("nobody", ["get", "patch", "create"])
    labels, node = site.labels(site.cluster.kubeconfig("nobody")), site.node("gone")
    connector = labels._connector  # type: ignore[attr-defined]
    read = connector.read

    def read_and_lose(name: str) -> object:
        found = read(name)
        site.cluster.ask("DELETE", f"/api/v1/nodes/{name}")
        return found

    connector.read = read_and_lose
    with pytest.raises(DriverBusy):
        labels.put(node, {"zone": "a"})
    assert site.cluster.ask("GET", f"/api/v1/nodes/{node}")["code"] == 404


def test_a_value_that_is_no_label_is_refused(site: Site) -> None:
    node = site.node("invalid")
    with pytest.raises(DriverRefused, match=r"refuses \(status 422\).*a valid label must be"):
        site.labels().put(node, {"zone": "a b"})


def test_rights_are_asked_for(site: Site) -> None:
    site.labels().check()
    with pytest.raises(DriverRefused, match="our account may not patch nodes"):
        site.labels(site.cluster.kubeconfig("reader")).check()


def test_an_account_without_the_right_is_refused(site: Site) -> None:
    node = site.node("forbidden")
    with pytest.raises(DriverRefused, match=r'refuses \(status 403\).*"reader" cannot patch'):
        site.labels(site.cluster.kubeconfig("reader")).put(node, {"zone": "a"})


def test_a_wrong_token_is_refused_and_shown_nowhere(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    labels = site.labels(site.cluster.kubeconfig("drydock", token="not-a-good-token"))
    for ask in (labels.check, lambda: labels.put("n1", {})):
        with pytest.raises(DriverRefused, match="does not accept our credentials") as refused:
            ask()
        assert "not-a-good-token" not in f"{refused.value!r} {refused.value.__cause__!r} {caplog.text} {labels!r}"


def test_a_certificate_of_an_unknown_authority_is_final(site: Site) -> None:
    other = Authority(site.directory, "other CA").certificate
    with pytest.raises(DriverRefused, match=r"TLS certificate is not accepted: .*(self.signed|unable to get)"):
        site.labels(site.cluster.kubeconfig("drydock", ca=other)).check()


def test_a_certificate_of_another_name_is_final(site: Site) -> None:
    elsewhere = site.cluster.kubeconfig("drydock", server=site.cluster.url.replace("127.0.0.1", "localhost"))
    with pytest.raises(DriverRefused, match="TLS certificate is not accepted: Hostname mismatch"):
        site.labels(elsewhere).check()


def test_nobody_listening_is_to_be_tried_again(site: Site, free_port: int) -> None:
    nowhere = site.cluster.kubeconfig("drydock", server=f"https://127.0.0.1:{free_port}")
    with pytest.raises(DriverUnavailable, match="cannot be reached"):
        site.labels(nowhere).check()


def test_another_context_than_there_is_stops_the_start(site: Site) -> None:
    with pytest.raises(ConfigurationError, match=r"\[kubernetes\] kubeconfig: cannot be used"):
        site.labels(context="nosuch")
