"""Operations on nodes."""

from __future__ import annotations

from drydock.api.route import Access, Kind, Operation, Parameter, Route, json_reply
from drydock.api.schemas import replies
from drydock.policies.names import READ_BUILD_DATA, READ_DATA

ROUTES = (
    Route(
        "/nodes",
        "nodes",
        Access.OPERATOR,
        {
            "GET": Operation(
                "The machines that the provisioner knows.",
                rule=READ_DATA,
                replies={200: json_reply("The machines.", replies.array(replies.NODE))},
            )
        },
    ),
    Route(
        "/nodes/{hostname}",
        "node",
        Access.OPERATOR,
        {
            "GET": Operation(
                "What is known of a node: hardware, what it was deployed with (`deployed`: null if it is not, or that "
                "is not recorded), hold. 404 if nothing is known, nor by the provisioner.",
                rule=READ_DATA,
                replies={200: json_reply("The node.", replies.KNOWN_NODE)},
            )
        },
    ),
    Route(
        "/nodes/{hostname}/builddata",
        "node_build_data",
        Access.OPERATOR,
        {
            "GET": Operation(
                "Build data of a node; 404 if there is none.",
                rule=READ_BUILD_DATA,
                query=(Parameter("latest", Kind.FLAG, "The newest of each generator only.", default=False),),
                replies={200: json_reply("Its build data.", replies.array(replies.BUILD_DATA))},
            )
        },
    ),
)
