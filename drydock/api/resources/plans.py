"""/plans and what lies below it."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import falcon

from drydock.api.addresses import Addresses
from drydock.api.head import WithHead
from drydock.api.reply import reply_created, reply_json
from drydock.api.requests import design_named_by, read_json, read_query
from drydock.api.route import PREFIX
from drydock.api.views.plans import plan_view, planned_node_view
from drydock.context import RequestContext
from drydock.errors import InvalidInput, PlanNotFound
from drydock.model.node_filter import parse_node_filter
from drydock.orchestrator.services.plans import PlanService

PATH = f"{PREFIX}/plans"


def _id(text: str) -> str:
    """Raises ``PlanNotFound`` for what is no id."""
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise PlanNotFound("there is no plan with this id; ids are SHA-256 in lower-case hexadecimal digits")
    return text


class PlansResource(WithHead):
    def __init__(self, plans: PlanService, addresses: Addresses) -> None:
        self._plans = plans
        self._addresses = addresses

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        reply_json(resp, [plan_view(plan) for plan in self._plans.newest(read_query(req)["limit"])])

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        caller: RequestContext = req.context.caller
        body = read_json(req)
        node_filter = body.get("node_filter")
        chosen = parse_node_filter(node_filter)
        destroy_unlisted: bool = body.get("destroy_unlisted", False)
        if destroy_unlisted and chosen is not None:
            raise InvalidInput(
                "cannot be given with node_filter, which selects nodes of the design", field="destroy_unlisted"
            )
        with design_named_by("design_ref"):
            plan = self._plans.create(
                body["design_ref"],
                node_filter=node_filter,
                chosen=chosen,
                destroy_unlisted=destroy_unlisted,
                created_by=caller.user,
            )
        reply_created(resp, self._addresses.of(req).path(f"{PATH}/{plan.id}"), plan_view(plan))


class PlanResource(WithHead):
    def __init__(self, plans: PlanService) -> None:
        self._plans = plans

    def on_get(self, req: falcon.Request, resp: falcon.Response, plan_id: str) -> None:
        reply_json(resp, plan_view(self._plans.get(_id(plan_id))))


class PlanNodesResource(WithHead):
    def __init__(self, plans: PlanService, addresses: Addresses) -> None:
        self._plans = plans
        self._addresses = addresses

    def on_get(self, req: falcon.Request, resp: falcon.Response, plan_id: str) -> None:
        query = read_query(req)
        limit: int = query["limit"]
        nodes = self._plans.nodes(_id(plan_id), limit=limit, after=query["after"], decision=query["decision"])
        if len(nodes) == limit:
            following = urlencode({**req.params, "after": str(nodes[-1][0])})
            resp.append_link(self._addresses.of(req).path(f"{PATH}/{plan_id}/nodes?{following}"), "next")
        reply_json(resp, [planned_node_view(position, node) for position, node in nodes])
