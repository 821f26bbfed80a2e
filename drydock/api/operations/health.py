"""Operations on the service itself."""

from __future__ import annotations

from drydock.api import headers
from drydock.api.route import TEXT, Access, Operation, Reply, Route, json_reply
from drydock.api.schemas import replies
from drydock.policies.names import HEALTH_DATA

VERSIONS = Operation("Versions of the API.", replies={200: json_reply("The versions.", replies.VERSIONS)})

ROUTES = (
    Route("/versions", "versions", Access.OPEN, {"GET": VERSIONS}),
    Route(
        "/health",
        "health",
        Access.OPEN,
        {
            "GET": Operation(
                "Whether the service can work; asks the database.",
                replies={204: Reply("It can.")},
            )
        },
    ),
    Route(
        "/health/extended",
        "extended_health",
        Access.OPERATOR,
        {
            "GET": Operation(
                "The state of each dependency, within 4 s.",
                rule=HEALTH_DATA,
                replies={
                    200: json_reply("All is well.", replies.HEALTH),
                    503: json_reply(
                        "Something is not.", {"anyOf": [replies.HEALTH, replies.ERROR]}, headers.RETRY_AFTER
                    ),
                },
            )
        },
    ),
    Route(
        "/metrics",
        "metrics",
        Access.OPEN,
        {
            "GET": Operation(
                "Prometheus's text format, the numbers of all processes of this server and the queue's; 200 also "
                "without a database.",
                replies={200: Reply("The numbers.", {TEXT: replies.TEXT})},
            )
        },
    ),
)
