"""Operations of machines that boot: the documented paths, and those that deployed clients call."""

from __future__ import annotations

from collections.abc import Iterator

from drydock.api.route import Access, Body, Operation, Reply, Route, json_reply
from drydock.api.schemas import replies
from drydock.api.schemas.boot_action import REPORT
from drydock.api.schemas.build_data import BUILD_DATA
from drydock.api.schemas.machine_events import EVENT

GZIP = "application/gzip"
SCRIPT = "text/x-shellscript"

_BUNDLE = {
    200: Reply("The tarball.", {GZIP: None}),
    206: Reply("The part of it that `Range` names.", {GZIP: None}),
    304: Reply("It is the one that `If-None-Match` names."),
}
# cloud-init and curtin send JSON under other names, or none.
_EVENT = Operation(
    "Progress of an installation.",
    body=Body(EVENT, limit="max_event_bytes", any_media_type=True),
    replies={200: json_reply("It is kept.", replies.EMPTY)},
)
_OF_NODE = {
    "files": Operation("The tarball of a node's files.", replies=_BUNDLE),
    "units": Operation("The tarball of a node's systemd units.", replies=_BUNDLE),
    "script": Operation("A node's boot script.", replies={200: Reply("The script.", {SCRIPT: replies.TEXT})}),
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
    body=Body(REPORT),
    replies={200: json_reply("The boot action.", replies.BOOT_ACTION)},
)
_RESOURCES = {"files": "files", "units": "units", "script": "boot_script", "builddata": "machine_build_data"}


def _routes() -> Iterator[Route]:
    for name, operation in _OF_NODE.items():
        path = f"/bootdata/{{hostname}}/{name}"
        method = "GET" if operation.body is None else "POST"
        resource, plain = _RESOURCES.get(name, "machine_events"), name in ("files", "units")
        yield Route(path, resource, Access.NODE_KEY, {method: operation}, plain=plain)
        alias = f"/bootactions/nodes/{{hostname}}/{name}"
        yield Route(alias, resource, Access.NODE_KEY, {method: operation}, plain=plain, alias_of=path)
    path = "/bootaction/{action_id}"
    yield Route(path, "boot_action", Access.NODE_KEY, {"POST": _REPORT})
    yield Route("/bootactions/{action_id}", "boot_action", Access.NODE_KEY, {"POST": _REPORT}, alias_of=path)


ROUTES = tuple(_routes())
