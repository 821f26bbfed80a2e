"""Every exception of the project, each with a stable ``code``; no HTTP in it.

Clients match on ``code``, never on text: a code once published is neither changed nor reused.

    DrydockError
    ├── InvalidInput                an invalid request; names the field
    │   └── ScopeUnconfirmed        a whole site would be destroyed or forced, and the request does not confirm it
    ├── NotAuthenticated            no identity, or one that was not confirmed
    ├── Forbidden                   authenticated, but not allowed
    ├── NotFound
    │   ├── TaskNotFound
    │   ├── DesignNotFound
    │   ├── BootActionNotFound
    │   ├── BootContextNotFound
    │   ├── NodeNotFound            nothing is known of a node
    │   ├── BuildDataNotFound
    │   └── HoldNotFound
    ├── Conflict
    │   ├── BootActionFinal         a report after the final status
    │   ├── BootActionSilent        a report for an action with ``signaling: false``
    │   ├── IdempotencyConflict     the same key with another body
    │   ├── NoConfirmationAwaited   a confirmation that no task waits for
    │   ├── TaskEnded               a pause of a task that has ended
    │   ├── TaskNotPausable         a pause of a task without a rollout
    │   ├── TaskNotEnded            a retry of a task that still runs
    │   ├── NodeHeld                a hold on a node that is held
    │   ├── PlanStale               what a plan rests on has changed
    │   ├── PlanApplied             a plan that was applied before
    │   ├── UnexpectedNodeCount     not as many nodes as the request says
    │   └── NothingToRetry          a retry of a task with no failed nodes left
    ├── DesignError
    │   ├── InvalidReference        a reference that can never work: scheme, host, syntax, size
    │   │   └── TokenRefused        … because the server did not accept the service's token
    │   ├── ReferenceUnavailable    a reference that did not answer (may work later)
    │   │   └── ReferenceBusy           … because its server has too much to do: not yet
    │   └── DesignInvalid           the documents were read, and are wrong
    ├── RenderError                 a boot action asset that cannot be rendered
    ├── RendererUnavailable         the process that renders templates cannot be started or used now: try again
    ├── SealBroken                  a sealed bundle that cannot be decrypted: wrong key, wrong bundle, or damaged
    ├── DriverError
    │   ├── DriverUnavailable       no answer, or a passing fault: try again
    │   │   └── DriverBusy          … because it is at work on something else: not yet, and nothing failed
    │   └── DriverRefused           the driver's final no
    ├── RolloutUnknown              a rollout that only a newer version can read: its workers go on with it
    ├── DatabaseUnavailable         PostgreSQL did not answer, or not as it should: try again
    │   └── DatabaseUnsuitable      … and will not before its administrator has changed something
    ├── LeaseLost                   this worker no longer owns the task it is working on
    └── ConfigurationError          the service cannot start like this
"""

from __future__ import annotations

from copy import copy
from typing import ClassVar, Self


class DrydockError(Exception):
    """Base of all our errors. ``str(error)`` is fit for a client to read and holds no secret."""

    code: ClassVar[str] = "drydock_error"
    retry: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def worded(self, message: str) -> Self:
        """The same error in other words."""
        error = copy(self)
        error.args, error.message = (message,), message
        return error


class InvalidInput(DrydockError):
    """An invalid request. ``field`` is a dotted path such as ``node_filter.filter_set[0]``."""

    code = "invalid_input"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


class ScopeUnconfirmed(InvalidInput):
    code = "scope_unconfirmed"

    def __init__(self, message: str) -> None:
        super().__init__(message, field="expect_nodes")


class NotAuthenticated(DrydockError):
    code = "not_authenticated"


class Forbidden(DrydockError):
    code = "forbidden"


class NotFound(DrydockError):
    code = "not_found"


class TaskNotFound(NotFound):
    code = "task_not_found"


class DesignNotFound(NotFound):
    code = "design_not_found"


class BootActionNotFound(NotFound):
    code = "boot_action_not_found"


class BootContextNotFound(NotFound):
    code = "boot_context_not_found"


class NodeNotFound(NotFound):
    code = "node_not_found"


class BuildDataNotFound(NotFound):
    code = "build_data_not_found"


class PlanNotFound(NotFound):
    code = "plan_not_found"


class HoldNotFound(NotFound):
    code = "hold_not_found"


class Conflict(DrydockError):
    code = "conflict"


class BootActionFinal(Conflict):
    code = "boot_action_final"


class BootActionSilent(Conflict):
    code = "boot_action_silent"


class IdempotencyConflict(Conflict):
    code = "idempotency_conflict"


class NoConfirmationAwaited(Conflict):
    code = "no_confirmation_awaited"


class TaskEnded(Conflict):
    code = "task_ended"


class TaskNotPausable(Conflict):
    code = "task_not_pausable"


class TaskNotEnded(Conflict):
    code = "task_not_ended"


class NodeHeld(Conflict):
    code = "node_held"


class PlanStale(Conflict):
    code = "plan_stale"


class PlanApplied(Conflict):
    code = "plan_applied"


class UnexpectedNodeCount(Conflict):
    code = "unexpected_node_count"


class NothingToRetry(Conflict):
    code = "nothing_to_retry"


class DesignError(DrydockError):
    code = "design_error"


class InvalidReference(DesignError):
    code = "invalid_reference"


class TokenRefused(InvalidReference):
    """Tokens expire and are revoked; a new one may be accepted."""

    code = "token_refused"


class ReferenceUnavailable(DesignError):
    code = "reference_unavailable"
    retry = True


class ReferenceBusy(ReferenceUnavailable):
    """A step that meets it waits, as with ``DriverBusy``."""

    def __init__(self, message: str, *, look_in: float | None = None) -> None:
        super().__init__(message)
        self.look_in = look_in


class DesignInvalid(DesignError):
    code = "design_invalid"


class RenderError(DrydockError):
    code = "render_error"


class RendererUnavailable(DrydockError):
    code = "renderer_unavailable"
    retry = True


class SealBroken(DrydockError):
    code = "seal_broken"


class DriverError(DrydockError):
    code = "driver_error"


class DriverUnavailable(DriverError):
    code = "driver_unavailable"
    retry = True


class DriverBusy(DriverUnavailable):
    """A step that meets it waits; it is no attempt that failed. ``look_in``: seconds that the peer asks for."""

    code = "driver_busy"

    def __init__(self, message: str, *, look_in: float | None = None) -> None:
        super().__init__(message)
        self.look_in = look_in


class DriverRefused(DriverError):
    code = "driver_refused"


class RolloutUnknown(DrydockError):
    code = "rollout_unknown"
    retry = True


class DatabaseUnavailable(DrydockError):
    """``cause``: what happened and what to do, for the database's administrator; the message is for clients."""

    code = "database_unavailable"
    retry = True

    def __init__(self, message: str = "the database did not answer", *, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause or message


class DatabaseUnsuitable(DatabaseUnavailable):
    """Waiting does not help: wrong encoding, a pooler in transaction mode, tables of another application."""

    code = "database_unsuitable"

    def __init__(self, cause: str) -> None:
        super().__init__("the database cannot be used; the log says why", cause=cause)


class LeaseLost(DrydockError):
    code = "lease_lost"


class ConfigurationError(DrydockError):
    code = "configuration_error"
