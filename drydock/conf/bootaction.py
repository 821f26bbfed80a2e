"""[bootaction]: keys of nodes and their lifetime, URLs for machines, limits of rendering."""

from __future__ import annotations

from oslo_config import cfg

from drydock.conf.types import HttpUrl, NodePath

OPTS: tuple[cfg.Opt, ...] = (
    cfg.Opt(
        "report_url",
        type=HttpUrl(),
        default="http://localhost:9000/api/v1.0/bootaction/",
        help="URL at which nodes report, reachable for them; ends in a slash. Templates read it as action.report_url.",
    ),
    cfg.Opt(
        "bootdata_url",
        type=HttpUrl(),
        default="http://localhost:9000/api/v1.0/bootdata/",
        help="URL at which nodes fetch their boot actions, reachable for them; ends in a slash.",
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
        help="Hours after which the key of a deployment expires, even if the node was never redeployed.",
    ),
    cfg.IntOpt(
        "template_max_bytes", default=16 * 1024 * 1024, min=1024, help="Largest output of one asset's template."
    ),
    cfg.IntOpt(
        "parallel_fetches",
        default=8,
        min=1,
        help="References of assets that one worker fetches at a time. A URL that several nodes of a task need is "
        "fetched once.",
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
        help="Whether the user-data makes cloud-init post its progress to Drydock. Installers that are configured "
        "separately may post theirs in any case.",
    ),
    cfg.Opt(
        "report_tool",
        type=NodePath(),
        help="Where to put drydock-report on each node, such as /usr/local/bin/drydock-report: a script with which "
        "boot actions report. The settings of each boot action that reports are put in "
        "/etc/drydock/actions/NAME.env. Unset: designs bring their own script.",
    ),
    cfg.FloatOpt("template_max_seconds", default=10.0, min=0.1, help="Longest time one asset's template may take."),
)
