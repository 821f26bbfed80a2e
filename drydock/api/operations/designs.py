"""Operations on designs."""

from __future__ import annotations

from dataclasses import replace

from drydock.api import headers
from drydock.api.route import JSON, Access, Body, Kind, Operation, Parameter, Reply, Route, json_reply
from drydock.api.schemas import replies
from drydock.api.schemas.designs import VALIDATE_DESIGN
from drydock.api.schemas.nodes import NODE_FILTER
from drydock.policies.names import INGEST_DATA, READ_DATA, READ_SECRETS, VALIDATE_SITE_DESIGN

YAML = "application/x-yaml"
YAML_TYPES = (YAML, "application/yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml", "text/plain")

ROUTES = (
    Route(
        "/nodefilter",
        "node_filter",
        Access.OPERATOR,
        {
            "POST": Operation(
                "Names of the nodes that a filter selects in a design.",
                rule=READ_DATA,
                body=Body(NODE_FILTER),
                replies={200: json_reply("The names.", replies.array(replies.TEXT))},
            )
        },
    ),
    Route(
        "/designs",
        "designs",
        Access.OPERATOR,
        {
            "GET": Operation(
                "Stored designs.",
                rule=READ_DATA,
                replies={200: json_reply("The designs.", replies.array(replies.SNAPSHOT))},
            ),
            "POST": Operation(
                "Upload a design.",
                rule=INGEST_DATA,
                body=Body(None, YAML_TYPES, limit="max_design_bytes"),
                replies={
                    201: json_reply(
                        "The design is stored; `Location` is its address.", replies.UPLOADED, headers.LOCATION
                    ),
                    400: json_reply("It has errors.", {"anyOf": [replies.VALIDATION, replies.ERROR]}),
                },
            ),
        },
    ),
    Route(
        "/designs/{digest}",
        "design",
        Access.OPERATOR,
        {
            "GET": Operation(
                "A design as it was uploaded, without what is secret in it unless `read_secrets` allows it; with "
                "`compiled=true` the site it makes, always without.",
                rule=READ_DATA,
                also=(READ_SECRETS,),
                query=(Parameter("compiled", Kind.FLAG, "The site it makes, as JSON.", default=False),),
                replies={
                    200: Reply(
                        "The documents, as YAML; or with `compiled`, the site.",
                        {YAML: replies.TEXT, JSON: replies.COMPILED},
                        (replace(headers.ETAG, always=False),),
                    )
                },
            )
        },
    ),
    Route(
        "/validatedesign",
        "validate_design",
        Access.OPERATOR,
        {
            "POST": Operation(
                "Have a design validated.",
                rule=VALIDATE_SITE_DESIGN,
                body=Body(VALIDATE_DESIGN),
                replies={
                    200: json_reply("It is valid.", replies.VALIDATION),
                    400: json_reply("It is invalid.", {"anyOf": [replies.VALIDATION, replies.ERROR]}),
                },
            )
        },
    ),
)
