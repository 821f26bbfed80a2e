"""``Policy.authorize(caller, rule)`` over oslo.policy: raises, never answers."""

from __future__ import annotations

import yaml
from oslo_config import cfg
from oslo_policy import opts
from oslo_policy import policy as oslo_policy

from drydock.context import RequestContext
from drydock.errors import ConfigurationError, Forbidden
from drydock.policies import list_rules


class Policy:
    """The rules in force: ours, overridden by the file that ``[oslo_policy] policy_file`` names.

    The file is read again when it changes. Raises ``ConfigurationError`` if it cannot be read at the start.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        # NOTE: our defaults are safe by themselves, so the option that turns deprecated defaults off has nothing to do.
        opts.set_defaults(conf)
        self._enforcer = oslo_policy.Enforcer(conf)
        self._enforcer.register_defaults(list_rules())
        try:
            self._enforcer.load_rules()
        except (oslo_policy.InvalidDefinitionError, yaml.YAMLError, ValueError, OSError, cfg.Error) as exc:
            raise ConfigurationError(f"policy file: {exc}") from exc

    def authorize(self, caller: RequestContext, rule: str) -> None:
        """Return if ``rule`` allows ``caller``. Raises ``Forbidden`` if not."""
        credentials = {
            "roles": list(caller.roles),
            "user_id": caller.user_id,
            "project_id": caller.project_id,
            "domain_id": caller.domain_id,
            "system_scope": caller.system_scope,
        }
        if not self._enforcer.authorize(rule, {}, credentials):
            raise Forbidden(f"the policy rule {rule} does not allow this")
