"""``Policy.authorize(caller, rule)`` over oslo.policy: raises, never answers."""

from __future__ import annotations

import time

import yaml
from oslo_config import cfg
from oslo_policy import opts
from oslo_policy import policy as oslo_policy

from drydock.context import RequestContext
from drydock.errors import ConfigurationError, Forbidden
from drydock.policies import list_rules

#: oslo.policy looks for changed files at each decision, which costs more than the rest of a small request.
REMEMBERED_SECONDS = 1.0
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
        self._decided: dict[tuple[object, ...], bool] = {}
        self._forget_at = 0.0
        try:
            self._enforcer.load_rules()
        except (oslo_policy.InvalidDefinitionError, yaml.YAMLError, ValueError, OSError, cfg.Error) as exc:
            raise ConfigurationError(f"policy file: {exc}") from exc

    def authorize(self, caller: RequestContext, rule: str) -> None:
        """Return if ``rule`` allows ``caller``. Raises ``Forbidden`` if not."""
        now = time.monotonic()
        if now >= self._forget_at or len(self._decided) >= _MOST:
            self._decided, self._forget_at = {}, now + REMEMBERED_SECONDS
        decided = self._decided
        # All that rules may ask of a caller.
        asked = (rule, caller.roles, caller.user_id, caller.project_id, caller.domain_id, caller.system_scope)
        allowed = decided.get(asked)
        if allowed is None:
            allowed = decided[asked] = self._enforcer.authorize(rule, {}, _credentials(caller))
        if not allowed:
            raise Forbidden(f"the policy rule {rule} does not allow this")


def _credentials(caller: RequestContext) -> dict[str, object]:
    return {
        "roles": list(caller.roles),
        "user_id": caller.user_id,
        "project_id": caller.project_id,
        "domain_id": caller.domain_id,
        "system_scope": caller.system_scope,
    }
