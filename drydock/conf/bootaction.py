"""[bootaction]: keys of nodes, what templates are told, how long a deployment's key lives."""

from __future__ import annotations

from oslo_config import cfg

from drydock.conf.types import HttpUrl, NodePath

OPTS: tuple[cfg.Opt, ...] = (
    cfg.Opt(
        "report_url",
        type=HttpUrl(),
        default="http://localhost:9000/api/v1.0/bootaction/",
        help="Where deployed nodes report, as they reach it; ends in a slash. Templates see it as action.report_url.",
    ),
    cfg.Opt(
        "bootdata_url",
        type=HttpUrl(),
        default="http://localhost:9000/api/v1.0/bootdata/",
        help="Where booting nodes fetch their boot actions, as they reach it; ends in a slash.",
    ),
    cfg.ListOpt(
        "secrets",
        default=[],
        secret=True,
        help="Secrets from which the keys of nodes are derived, each of at least 32 hexadecimal digits "
        "(openssl rand -hex 32). The first makes new keys; all are accepted, so that a secret is replaced by putting "
        "the new one first and removing the old one when no deployment made with it is left. API and workers need "
        "the same list.",
    ),
    cfg.FloatOpt(
        "context_lifetime",
        default=24.0,
        min=0.01,
        max=87600,
        help="Hours after which the key of a deployment ends, even if the node was never redeployed.",
    ),
    cfg.IntOpt(
        "template_max_bytes", default=16 * 1024 * 1024, min=1024, help="Largest output of one asset's template."
    ),
    cfg.IntOpt(
        "parallel_fetches",
        default=8,
        min=1,
        help="References of assets that one worker fetches at a time. What several nodes of a task ask for by the same "
        "URL is fetched once.",
    ),
    cfg.BoolOpt(
        "start_units",
        default=True,
        help="Whether the boot script starts the units it has enabled, where systemd runs. Otherwise, and in the "
        "chroot of an installer, the next boot does.",
    ),
    cfg.BoolOpt(
        "installer_events",
        default=True,
        help="Whether the user-data asks cloud-init to post its progress to Drydock. Installers that are set up "
        "otherwise may post theirs in any case.",
    ),
    cfg.Opt(
        "report_tool",
        type=NodePath(),
        help="Where to put drydock-report on each node, such as /usr/local/bin/drydock-report: a script with which "
        "boot actions report. What it needs to know of each boot action that reports is put beside it, in "
        "/etc/drydock/actions/NAME.env. Unset: designs bring what they need.",
    ),
    cfg.FloatOpt("template_max_seconds", default=10.0, min=0.1, help="Longest time one asset's template may take."),
)
