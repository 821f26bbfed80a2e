"""Operations of machines that boot: the documented paths, and those that deployed clients call."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.api import headers
from drydock.api.route import ANY, JSON, Access, Body, Operation, Reply, Route, json_reply
from drydock.api.schemas import replies
from drydock.api.schemas.boot_action import REPORT
from drydock.api.schemas.build_data import BUILD_DATA
from drydock.api.schemas.machine_events import EVENT

GZIP = "application/gzip"
SCRIPT = "text/x-shellscript"

_OF_BUNDLE = (headers.ETAG, headers.ACCEPT_RANGES, headers.CONTENT_DISPOSITION)
_BUNDLE = {
    200: Reply("The tarball.", {GZIP: None}, _OF_BUNDLE),
    206: Reply("The part of it that `Range` names.", {GZIP: None}, (*_OF_BUNDLE, headers.CONTENT_RANGE)),
    304: Reply("It is the one that `If-None-Match` names.", headers=_OF_BUNDLE),
    416: json_reply("`Range` begins beyond its end.", replies.ERROR, *_OF_BUNDLE, headers.CONTENT_RANGE),
}
_PARTS = (headers.RANGE, headers.IF_RANGE, headers.IF_NONE_MATCH)
# cloud-init and curtin send JSON under other names, or none.
_EVENT = Operation(
    "Progress of an installation.",
    body=Body(EVENT, limit="max_event_bytes", media_types=(JSON, ANY)),
    replies={200: json_reply("It is kept.", replies.EMPTY)},
)
_OF_NODE = {
    "files": Operation("The tarball of a node's files.", headers=_PARTS, replies=_BUNDLE),
    "units": Operation("The tarball of a node's systemd units.", headers=_PARTS, replies=_BUNDLE),
    "script": Operation(
        "A node's boot script.", replies={200: Reply("The script.", {SCRIPT: replies.TEXT}, (headers.ETAG,))}
    ),
    "builddata": Operation(
        "Build data of the machine itself.",
        body=Body(BUILD_DATA),
        replies={201: json_reply("It is kept.", replies.EMPTY)},
    ),
    "events": _EVENT,
    # Installers that can send no header of their own put a token into the path, or into OAuth's header.
    "events/{token}": _EVENT,
}
_REPORT = Operation(
    "A report on a boot action.",
    headers=(headers.IDEMPOTENCY_KEY,),
    body=Body(REPORT),
    replies={200: json_reply("The boot action.", replies.BOOT_ACTION)},
)
_RESOURCES = {"files": "files", "units": "units", "script": "boot_script", "builddata": "machine_build_data"}


def _routes() -> Iterator[Route]:
    for name, operation in _OF_NODE.items():
        path = f"/bootdata/{{hostname}}/{name}"
        method = "GET" if operation.body is None else "POST"
        access = Access.PATH_KEY if "{token}" in name else Access.NODE_KEY
        resource, plain = _RESOURCES.get(name, "machine_events"), name in ("files", "units")
        yield Route(path, resource, access, {method: operation}, plain=plain)
        alias = f"/bootactions/nodes/{{hostname}}/{name}"
        yield Route(alias, resource, access, {method: operation}, plain=plain, alias_of=path)
    path = "/bootaction/{action_id}"
    yield Route(path, "boot_action", Access.NODE_KEY, {"POST": _REPORT})
    yield Route("/bootactions/{action_id}", "boot_action", Access.NODE_KEY, {"POST": _REPORT}, alias_of=path)


ROUTES = tuple(_routes())
