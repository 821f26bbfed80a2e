"""Who may do what, by default and with an old policy file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from drydock import conf
from drydock.context import RequestContext
from drydock.errors import ConfigurationError, Forbidden
from drydock.policies.names import ACTION_RULES, PREFIX
from drydock.policies.rules import list_rules
from drydock.policy import Policy

READING = {
    *("read_task", "read_data", "read_holds", "read_build_data", "health_data", "validate_site_design", "read_plan"),
}

#: As old deployments have them: rules of actions we do not have, their base rule not defined.
OLD_FILE = """\
"physical_provisioner:read_task": "rule:admin_required or role:operator"
"physical_provisioner:verify_site": "rule:admin_required"
"physical_provisioner:prepare_site": "rule:admin_required"
"physical_provisioner:verify_nodes": "rule:admin_required"
"physical_provisioner:relabel_nodes": "rule:admin_required"
"""


def caller(*roles: str) -> RequestContext:
    return RequestContext(request_id="r", authenticated=True, user="u", roles=roles)


def options(policy_file: Path | None = None) -> cfg.ConfigOpts:
    loaded = conf.load()
    policy = Policy(loaded)  # registers [oslo_policy]
    del policy
    if policy_file is not None:
        loaded.set_override("policy_file", str(policy_file), group="oslo_policy")
    return loaded


RULES = sorted(rule.name for rule in list_rules() if rule.name.startswith(PREFIX))


@pytest.mark.parametrize("rule", RULES)
def test_readers_read_and_admins_change(rule: str) -> None:
    policy = Policy(options())
    policy.authorize(caller("admin", "manager", "member", "reader"), rule)
    if rule.removeprefix(PREFIX) in READING:
        policy.authorize(caller("reader"), rule)
        policy.authorize(caller("member", "reader"), rule)
    else:
        for roles in (("reader",), ("member", "reader")):
            with pytest.raises(Forbidden, match=rule):
                policy.authorize(caller(*roles), rule)
    nothing: tuple[tuple[str, ...], ...] = ((), ("other",))
    for others in nothing:
        with pytest.raises(Forbidden):
            policy.authorize(caller(*others), rule)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("role", ["admin", "manager", "member"])
def test_who_may_do_more_reads_where_no_role_implies_another(rule: str, role: str) -> None:
    policy = Policy(options())
    if role == "admin" or rule.removeprefix(PREFIX) in READING:
        policy.authorize(caller(role), rule)
    else:
        with pytest.raises(Forbidden):
            policy.authorize(caller(role), rule)


@pytest.mark.parametrize(
    "text",
    [
        "- a\n- b\n", "just text\n", "42\n", '"physical_provisioner:read_task": 5\n',
        '"physical_provisioner:read_task": "role:reader and ("\n', '"physical_provisioner:read_task": "role"\n',
        '"physical_provisioner:read_task": "rule:nobody_defined_this"\n', '"a": "rule:b"\n"b": "rule:a"\n',
    ],
)  # fmt: skip
def test_what_is_no_policy_stops_the_start(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    loaded = options(file)
    with pytest.raises(ConfigurationError):
        Policy(loaded)
    assert not caplog.records


def test_a_policy_file_that_breaks_later_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text('"physical_provisioner:read_task": "role:operator"\n')
    policy = Policy(options(file))
    policy.authorize(caller("operator"), PREFIX + "read_task")
    file.write_text('"physical_provisioner:read_task": [\n')
    os.utime(file, (2e9, 2e9))
    policy.authorize(caller("operator", "other"), PREFIX + "read_task")
    with pytest.raises(Forbidden):
        policy.authorize(caller("reader"), PREFIX + "read_task")
    assert "the policy file cannot be read" in caplog.text


def test_every_action_has_a_rule_of_its_own() -> None:
    assert set(ACTION_RULES.values()) <= set(RULES)
    assert {rule.removeprefix(PREFIX) for rule in RULES} == {
        *READING,
        *(
            "create_task",
            "terminate_task",
            "confirm_task",
            "pause_task",
            "hold_node",
            "delete_tasks",
            "ingest_data",
            "read_secrets",
            "create_plan",
        ),
        *("validate_design", "verify_site", "prepare_site", "verify_nodes"),
        *("prepare_nodes", "deploy_nodes", "destroy_nodes", "relabel_nodes", "apply_plan"),
    }


PROJECT = "0d2e5a6b8c9f4d1e8a7b6c5d4e3f2a1b"
#: The scopes that docs/security.md narrows the rules to, and a caller of each.
SCOPES: dict[str, dict[str, Any]] = {
    f"project_id:{PROJECT}": {"project_id": PROJECT},
    "system_scope:all": {"system_scope": "all"},
    "domain_id:default": {"domain_id": "default"},
}


def test_by_default_a_role_counts_in_any_scope() -> None:
    policy = Policy(options())
    others: list[dict[str, Any]] = [{"project_id": "other"}, {"domain_id": "other"}]
    for scope in (*SCOPES.values(), *others):
        for rule in RULES:
            policy.authorize(caller("admin", "reader")._replace(**scope), rule)


@pytest.mark.parametrize("scope", SCOPES)
def test_rules_can_be_narrowed_as_the_documentation_says(tmp_path: Path, scope: str) -> None:
    documented = (Path(__file__).parents[3] / "docs/security.md").read_text()
    lines = [line for line in documented.splitlines() if line.endswith(f' and {scope}"')]
    assert [line.partition(":")[0] for line in lines] == ['"admin_required"', '"reader_required"']
    file = tmp_path / "policy.yaml"
    file.write_text("\n".join(lines))
    policy = Policy(options(file))
    for roles, rules in ((("admin",), RULES), (("reader",), [PREFIX + rule for rule in READING])):
        for rule in rules:
            policy.authorize(caller(*roles)._replace(**SCOPES[scope]), rule)
            for other in ({}, *(found for name, found in SCOPES.items() if name != scope), {"project_id": "0" * 32}):
                with pytest.raises(Forbidden):
                    policy.authorize(caller(*roles)._replace(**other), rule)


def test_an_old_policy_file_works(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(OLD_FILE)
    policy = Policy(options(file))
    policy.authorize(caller("operator"), PREFIX + "read_task")
    policy.authorize(caller("admin"), PREFIX + "read_task")
    with pytest.raises(Forbidden):
        policy.authorize(caller("reader"), PREFIX + "read_task")
    with pytest.raises(Forbidden):
        policy.authorize(caller("operator"), PREFIX + "delete_tasks")


def test_a_broken_policy_file_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("a: [\n")
    loaded = options(file)
    with pytest.raises(ConfigurationError, match="policy file"):
        Policy(loaded)
