"""Answers of a Kubernetes API server, as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.drivers.http_answers import answer_error
from drydock.errors import DriverError, DriverRefused
from drydock.http_status import may_pass
from drydock.redaction import redacted

#: The server sheds load, or something else changed the node meanwhile.
BUSY_STATUSES = frozenset({408, 409, 425, 429, 503})
LONGEST_REASON = 300
OTHERS = "FieldManagerConflict"
#: Conflicts that are named; the others are counted.
NAMED = 5


def applied(node: str, uid: str, labels: Mapping[str, str]) -> Mapping[str, Any]:
    """What is applied. With the ``uid``, a node that is gone is not made anew: an apply would otherwise create it."""
    metadata: dict[str, Any] = {"name": node, "uid": uid}
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def error(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> DriverError:
    """``body``: of an answer that is no success."""
    message = _message(body)
    if others := [cause for cause in _causes(body) if cause.get("reason") == OTHERS]:
        return DriverRefused(f"labels belong to another manager, see [kubernetes] force: {_conflicts(others)}")
    if status == 401:
        return DriverRefused("the API server does not accept our credentials (status 401)")
    return answer_error(status, f"the API server {_what(status)}{message}", headers, busy=BUSY_STATUSES)


def _what(status: int) -> str:
    if status in BUSY_STATUSES:
        return f"is busy (status {status})"
    return f"answered {status}" if may_pass(status) else f"refuses (status {status})"


def is_unknown_node(status: int, body: Mapping[str, Any]) -> bool:
    """Whether the API server, and not something before it, says that there is no such node."""
    return status == 404 and _is_status(body) and _details(body).get("kind") == "nodes"


def _conflicts(causes: list[Mapping[str, Any]]) -> str:
    named = [redacted(f"{_label(cause)} ({cause.get('message', '')})") for cause in causes[:NAMED]]
    more = f" and {len(causes) - NAMED} more" if len(causes) > NAMED else ""
    return f"{', '.join(named)}{more}"[: 2 * LONGEST_REASON]


def _label(cause: Mapping[str, Any]) -> str:
    return str(cause.get("field", "")).removeprefix(".metadata.labels.")


def _message(body: Mapping[str, Any]) -> str:
    """The message of the API server itself; that of a proxy before it might quote our token."""
    text = body.get("message") if _is_status(body) else None
    return f": {redacted(str(text))[:LONGEST_REASON]}" if text else ""


def _is_status(body: Mapping[str, Any]) -> bool:
    return body.get("kind") == "Status"


def _details(body: Mapping[str, Any]) -> Mapping[str, Any]:
    details = body.get("details")
    return details if isinstance(details, dict) else {}


def _causes(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    causes = _details(body).get("causes")
    return [cause for cause in causes if isinstance(cause, dict)] if isinstance(causes, list) else []
