"""/nodes, /nodes/{hostname}, /nodefilter, /nodes/{hostname}/builddata."""

from __future__ import annotations

import falcon

from drydock.api.head import WithHead
from drydock.api.reply import reply_json
from drydock.api.requests import design_named_by, read_json, read_query
from drydock.api.text import check_line
from drydock.api.views.build_data import build_data_view
from drydock.api.views.nodes import known_node_view, node_view
from drydock.errors import BuildDataNotFound
from drydock.model.node_filter import parse_node_filter
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.node_records import NodeRecords
from drydock.orchestrator.services.tasks import TaskService


class NodesResource(WithHead):
    def __init__(self, nodes: TaskService) -> None:
        self._nodes = nodes

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        reply_json(resp, [node_view(node) for node in self._nodes.list_nodes()])


class NodeResource(WithHead):
    def __init__(self, nodes: NodeRecords) -> None:
        self._nodes = nodes

    def on_get(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        reply_json(resp, known_node_view(self._nodes.of_node(check_line(hostname, field="hostname"))))


class NodeFilterResource:
    def __init__(self, designs: DesignService) -> None:
        self._designs = designs

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = read_json(req)
        node_filter = parse_node_filter(body.get("node_filter"))
        with design_named_by("design_ref"):
            names = self._designs.select_nodes(body["design_ref"], node_filter)
        reply_json(resp, list(names))


class NodeBuildDataResource(WithHead):
    def __init__(self, nodes: TaskService) -> None:
        self._nodes = nodes

    def on_get(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        latest = read_query(req)["latest"]
        found = self._nodes.node_build_data(check_line(hostname, field="hostname"), latest=latest)
        if not found:
            raise BuildDataNotFound(f"node {hostname} has no build data")
        reply_json(resp, [build_data_view(item) for item in found])
