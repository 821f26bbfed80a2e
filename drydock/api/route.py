"""What a route is, as data: its path, access, and for each method what it takes and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from drydock.context import RequestContext

Schema = Mapping[str, Any]

JSON = "application/json"
TEXT = "text/plain"
#: Of a body: whatever its media type is, also none.
ANY = "*/*"
#: Before the path of every route but the unversioned ones.
PREFIX = "/api/v1.0"


class Access(Enum):
    """OPEN: everybody. OPERATOR: a confirmed identity that the method's rule allows. NODE_KEY: a node's own key, in its
    header or in OAuth's; events take the installer's token, too. PATH_KEY: either of these as ``token`` in the path.
    """

    OPEN = "open"
    OPERATOR = "operator"
    NODE_KEY = "node key"
    PATH_KEY = "key in the path"

    @property
    def of_nodes(self) -> bool:
        return self in (Access.NODE_KEY, Access.PATH_KEY)


class Authorizer(Protocol):
    def authorize(self, caller: RequestContext, rule: str) -> None: ...


class Kind(Enum):
    """Types of query parameters; of ``UUID_PREFIX`` the first and the last UUID that begin so."""

    FLAG = "flag"
    INTEGER = "integer"
    SECONDS = "seconds"
    TEXT = "text"
    UUID = "uuid"
    UUID_PREFIX = "uuid prefix"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter. ``default``: the value without it. ``choices``: the value of each word. ``refused``: numbers
    between ``minimum`` and ``maximum`` that are none of its values, each with what is expected instead.
    """

    name: str
    kind: Kind
    description: str
    default: Any = None
    minimum: int = 0
    maximum: int = 0
    choices: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """Of a request or a reply. ``always``: every such reply has it."""

    name: str
    description: str
    schema: Schema
    always: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """``schema``: of JSON; None for another media type, whose bytes the responder reads. ``limit``: the field of
    ``Limits`` that bounds it. ``optional``: without a body it is ``{}``.
    """

    schema: Schema | None
    media_types: tuple[str, ...] = (JSON,)
    limit: str = "max_body_bytes"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """``content``: by media type the schema of the body, None for one that JSON Schema does not describe.

    Without content there is no body; with some it is never empty. ``headers``: those that it has, or may have.
    """

    description: str
    content: Mapping[str, Schema | None] = field(default_factory=dict)
    headers: tuple[Header, ...] = ()


def json_reply(description: str, schema: Schema, *headers: Header) -> Reply:
    return Reply(description, {JSON: schema}, headers)


@dataclass(frozen=True, slots=True)
class Operation:
    """``rule``: the policy rule it needs, of operators' routes; ``also``: rules that some requests need besides.

    ``query``: the parameters there are; others are refused on operators' routes, and not looked at on the rest.
    ``headers``: what it reads besides those of ``headers.OF_ACCESS``. ``replies``: by status; those of errors are not
    among them, see ``openapi.ERROR_STATUSES``.
    """

    summary: str
    replies: Mapping[int, Reply]
    rule: str | None = None
    also: tuple[str, ...] = ()
    query: tuple[Parameter, ...] = ()
    headers: tuple[Header, ...] = ()
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """``path`` is a falcon template; it also matches with a slash behind it. ``resource`` names what answers it.

    ``plain``: requests for it are answered before falcon, see ``PlainBundles``. ``alias_of``: the documented path.
    """

    path: str
    resource: str
    access: Access
    operations: Mapping[str, Operation]
    plain: bool = False
    alias_of: str | None = None

    def operation(self, method: str) -> Operation | None:
        """HEAD goes by what GET is."""
        return self.operations.get("GET" if method == "HEAD" else method)
