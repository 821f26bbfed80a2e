"""Operations on the holds of nodes."""

from __future__ import annotations

from drydock.api.route import Access, Body, Operation, Reply, Route, json_reply
from drydock.api.schemas import replies
from drydock.api.schemas.holds import HOLD
from drydock.policies.names import HOLD_NODE, READ_HOLDS

ROUTES = (
    Route(
        "/holds",
        "holds",
        Access.OPERATOR,
        {
            "GET": Operation(
                "The nodes that operators hold; holds that have expired are left out.",
                rule=READ_HOLDS,
                replies={200: json_reply("The holds.", replies.array(replies.HOLD))},
            )
        },
    ),
    Route(
        "/nodes/{hostname}/hold",
        "node_hold",
        Access.OPERATOR,
        {
            "PUT": Operation(
                "Hold a node: no action that changes it begins; may be repeated; 409 if it is held otherwise.",
                rule=HOLD_NODE,
                body=Body(HOLD),
                replies={200: json_reply("The hold.", replies.HOLD)},
            ),
            "DELETE": Operation(
                "Release a node; 404 if it is not held.",
                rule=HOLD_NODE,
                replies={204: Reply("Released.")},
            ),
        },
    ),
)
