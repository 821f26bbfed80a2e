"""/nodes, /nodefilter, /nodes/{hostname}/builddata."""

from __future__ import annotations

import falcon

from drydock.api.body import JsonBody
from drydock.api.doors import Designs, Nodes
from drydock.api.head import WithHead
from drydock.api.limits import Limits
from drydock.api.query import Query
from drydock.api.reply import reply_json
from drydock.api.schemas.nodes import NODE_FILTER
from drydock.api.text import check_line
from drydock.api.views.build_data import build_data_view
from drydock.api.views.nodes import node_view
from drydock.errors import BuildDataNotFound, DesignNotFound, InvalidInput
from drydock.model.node_filter import parse_node_filter


class NodesResource(WithHead):
    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        reply_json(resp, [node_view(node) for node in self._nodes.list_nodes()])


class NodeFilterResource:
    def __init__(self, designs: Designs, limits: Limits) -> None:
        self._designs = designs
        self._body = JsonBody(NODE_FILTER, limits.max_body_bytes)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = self._body.read(req)
        node_filter = parse_node_filter(body.get("node_filter"))
        try:
            names = self._designs.select_nodes(body["design_ref"], node_filter)
        except DesignNotFound as exc:
            raise InvalidInput(str(exc), field="design_ref") from exc
        reply_json(resp, list(names))


class NodeBuildDataResource(WithHead):
    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    def on_get(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        latest = Query(req, ("latest",)).flag("latest")
        found = self._nodes.node_build_data(check_line(hostname, field="hostname"), latest=latest)
        if not found:
            raise BuildDataNotFound(f"node {hostname} has no build data")
        reply_json(resp, [build_data_view(item) for item in found])
