"""``Policy.authorize(caller, rule)`` over oslo.policy: raises, never answers."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import yaml
from cachetools import TTLCache
from oslo_config import cfg
from oslo_policy import opts
from oslo_policy import policy as oslo_policy

from drydock.context import RequestContext
from drydock.errors import ConfigurationError, Forbidden
from drydock.policies.rules import list_rules

#: oslo.policy looks for changed files at each decision, which costs more than the rest of a small request.
REMEMBERED_SECONDS = 1.0
LOG = logging.getLogger(__name__)

#: What a policy file that is none makes oslo.policy raise.
_UNREADABLE = (
    oslo_policy.InvalidDefinitionError,
    yaml.YAMLError,
    AttributeError,
    TypeError,
    ValueError,
    OSError,
    cfg.Error,
)
#: Decisions that are remembered at most.
_MOST = 1024


class Policy:
    """The rules in force: ours, overridden by the file that ``[oslo_policy] policy_file`` names.

    The file is read again when it changes; a decision is good for up to ``REMEMBERED_SECONDS``. Raises
    ``ConfigurationError`` if it cannot be read at the start.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        # NOTE: our defaults are safe by themselves, so the option that turns deprecated defaults off has nothing to do.
        opts.set_defaults(conf)
        self._enforcer = oslo_policy.Enforcer(conf)
        self._enforcer.register_defaults(list_rules())
        self._decided: TTLCache[tuple[object, ...], bool] = TTLCache(maxsize=_MOST, ttl=REMEMBERED_SECONDS)
        self._lock = threading.Lock()
        try:
            with _saying_nothing():
                self._enforcer.load_rules()
                self._refuse_what_is_not_understood()
        except _UNREADABLE as exc:
            raise ConfigurationError(f"the policy file is no mapping of rules in YAML: {_first_line(exc)}") from exc

    def authorize(self, caller: RequestContext, rule: str) -> None:
        """Return if ``rule`` allows ``caller``. Raises ``Forbidden`` if not."""
        # All that rules may ask of a caller.
        asked = (rule, caller.roles, caller.user_id, caller.project_id, caller.domain_id, caller.system_scope)
        with self._lock:
            allowed = self._decided.get(asked)
        if allowed is None:
            allowed = self._allowed(rule, caller)
            with self._lock:
                self._decided[asked] = allowed
        if not allowed:
            raise Forbidden(f"the policy rule {rule} does not allow this")

    def _allowed(self, rule: str, caller: RequestContext) -> bool:
        try:
            return bool(self._enforcer.authorize(rule, {}, _credentials(caller)))
        except _UNREADABLE as exc:
            # The file changed, and cannot be read. It is looked at again when it has changed once more.
            LOG.error("the policy file cannot be read: the rules of before stay in force", extra={"why": str(exc)})
            return bool(self._enforcer.authorize(rule, {}, _credentials(caller)))

    def _refuse_what_is_not_understood(self) -> None:
        """oslo.policy takes a rule that it cannot parse for one that denies everything."""
        for name, rule in self._enforcer.file_rules.items():
            if str(rule.check) == "!" and str(rule.check_str).strip() != "!":
                raise ConfigurationError(f"the rule {name!r} is not understood: a check such as role:admin is wanted")
        if not self._enforcer.check_rules():
            defined = self._enforcer.rules
            wrong = sorted(name for name, check in defined.items() if _leads_nowhere(str(check), defined))
            raise ConfigurationError(
                f"rules that use one that is not defined: {', '.join(wrong)}" if wrong else "rules that use each other"
            )


def _leads_nowhere(check: str, defined: Collection[str]) -> bool:
    return any(used not in defined for used in re.findall(r"rule:([\w:.-]+)", check))


def _first_line(exc: Exception) -> str:
    return "something else stands there" if isinstance(exc, AttributeError | TypeError) else str(exc).partition("\n")[0]


@contextmanager
def _saying_nothing() -> Iterator[None]:
    """Errors at the start are reported once, by this module; oslo.policy would log them with tracebacks."""
    logger = logging.getLogger("oslo_policy")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _credentials(caller: RequestContext) -> dict[str, object]:
    return {
        "roles": list(caller.roles),
        "user_id": caller.user_id,
        "project_id": caller.project_id,
        "domain_id": caller.domain_id,
        "system_scope": caller.system_scope,
    }
