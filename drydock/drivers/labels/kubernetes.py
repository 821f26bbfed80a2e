"""Labels of nodes at a Kubernetes cluster itself, by server-side apply: the cluster knows which labels are ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keystoneauth1.session import Session

from drydock.drivers.labels.kubernetes_connector import Answer, KubernetesConnector, load_configuration
from drydock.drivers.labels.kubernetes_mapping import applied, error, is_unknown_node
from drydock.errors import DriverError, DriverRefused, DriverUnavailable

#: What giving labels takes. Without the right to create nodes, none is created by an apply.
VERBS = ("get", "patch")


class KubernetesLabels:
    """Shared by all threads."""

    name = "kubernetes"

    def __init__(self, connector: KubernetesConnector, *, field_manager: str, force: bool) -> None:
        self._connector = connector
        self._field_manager = field_manager
        self._force = force

    @classmethod
    def from_options(cls, options: Mapping[str, Any], session: Callable[[], Session]) -> KubernetesLabels:
        """Raises ``ConfigurationError``. ``session`` is not needed: a cluster has accounts of its own."""
        configuration = load_configuration(options["kubeconfig"], options["context"])
        connector = KubernetesConnector(configuration, timeout=options["timeout"])
        return cls(connector, field_manager=options["field_manager"], force=options["force"])

    def close(self) -> None:
        self._connector.close()

    def check(self) -> None:
        missing = [verb for verb in VERBS if not self._allowed(verb)]
        if missing:
            raise DriverRefused(f"kubernetes: our account may not {' and '.join(missing)} nodes")

    def put(self, node: str, labels: Mapping[str, str]) -> None:
        # Kubernetes' names are in lower case, and a kubelet makes its own so.
        node = node.lower()
        what = f"labels of {node}"
        found = self._asked(what, lambda: self._connector.read(node))
        if is_unknown_node(found.status, found.body):
            raise DriverRefused(f"kubernetes: {what}: the cluster has no node of this name")
        wanted = applied(node, _uid(what, _success(what, found)), labels)
        _success(
            what,
            self._asked(
                what,
                lambda: self._connector.apply(node, wanted, field_manager=self._field_manager, force=self._force),
            ),
        )

    def _allowed(self, verb: str) -> bool:
        what = f"whether we may {verb} nodes"
        status = _success(what, self._asked(what, lambda: self._connector.review(verb))).get("status")
        return isinstance(status, dict) and status.get("allowed") is True

    def _asked(self, what: str, request: Callable[[], Answer]) -> Answer:
        try:
            return request()
        except DriverError as exc:
            raise exc.worded(f"kubernetes: {what}: {exc.message}") from None


def _success(what: str, answer: Answer) -> Mapping[str, Any]:
    if not 200 <= answer.status < 300:
        exc = error(answer.status, answer.body, answer.headers)
        raise exc.worded(f"kubernetes: {what}: {exc.message}")
    return answer.body


def _uid(what: str, body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata")
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    if not isinstance(uid, str) or not uid:
        raise DriverUnavailable(f"kubernetes: {what}: the answer is no node")
    return uid
