"""Operations on plans."""

from __future__ import annotations

from drydock.api import headers
from drydock.api.route import Access, Body, Kind, Operation, Parameter, Route, json_reply
from drydock.api.schemas import replies
from drydock.api.schemas.plans import CREATE_PLAN as NEW_PLAN
from drydock.model.plan import Decision
from drydock.policies.names import CREATE_PLAN, READ_PLAN

MAX_PAGE = 1000

ROUTES = (
    Route(
        "/plans",
        "plans",
        Access.OPERATOR,
        {
            "GET": Operation(
                "Plans, the newest first.",
                rule=READ_PLAN,
                query=(Parameter("limit", Kind.INTEGER, "Plans at most.", default=100, minimum=1, maximum=MAX_PAGE),),
                replies={200: json_reply("The plans, without their nodes.", replies.array(replies.PLAN))},
            ),
            "POST": Operation(
                "Plan what would be done to each node of a design, and why; nothing is done.",
                rule=CREATE_PLAN,
                body=Body(NEW_PLAN),
                replies={
                    201: json_reply(
                        "The plan, without its nodes; `Location` is its address.", replies.PLAN, headers.LOCATION
                    )
                },
            ),
        },
    ),
    Route(
        "/plans/{plan_id}",
        "plan",
        Access.OPERATOR,
        {
            "GET": Operation(
                "One plan, without its nodes.", rule=READ_PLAN, replies={200: json_reply("The plan.", replies.PLAN)}
            )
        },
    ),
    Route(
        "/plans/{plan_id}/nodes",
        "plan_nodes",
        Access.OPERATOR,
        {
            "GET": Operation(
                "The nodes of a plan, page by page; `Link: <…>; rel=next` leads to the next page.",
                rule=READ_PLAN,
                query=(
                    Parameter("limit", Kind.INTEGER, "Nodes of a page.", default=MAX_PAGE, minimum=1, maximum=MAX_PAGE),
                    Parameter(
                        "after",
                        Kind.INTEGER,
                        "The position of the last node of the page before.",
                        default=-1,
                        minimum=-1,
                        maximum=10_000_000,
                    ),
                    Parameter(
                        "decision",
                        Kind.CHOICE,
                        "Of this decision.",
                        choices={decision.value: decision for decision in Decision},
                    ),
                ),
                replies={200: json_reply("The nodes.", replies.array(replies.PLANNED_NODE), headers.LINK)},
            )
        },
    ),
)
