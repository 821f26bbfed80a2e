"""[orchestrator] and [timeouts]: workers, and time limits of steps."""

from __future__ import annotations

from oslo_config import cfg

from drydock.conf.types import Host
from drydock.model.hardware_check import HardwareCheck

ORCHESTRATOR_OPTS: tuple[cfg.Opt, ...] = (
    cfg.IntOpt("slots", default=16, min=1, max=4096, help="Nodes that one worker process works on at a time."),
    cfg.IntOpt(
        "task_slots",
        default=2,
        min=1,
        help="Tasks of operators (not nodes) that one worker works on at a time. Not counted in slots, so that ten "
        "thousand nodes do not delay the next request.",
    ),
    cfg.IntOpt("watch_batch", default=500, min=1, help="Waiting nodes that are observed with one request."),
    cfg.FloatOpt(
        "start_rate",
        default=200.0,
        min=0.1,
        help="Nodes of one task that start per second, so that a large site overloads neither BMCs nor provisioner.",
    ),
    cfg.IntOpt(
        "deployment_places",
        default=1000,
        min=1,
        help="Machines that may be installed at a time, over all workers; others wait, unchanged.",
    ),
    cfg.FloatOpt(
        "poll_interval",
        default=5.0,
        min=0.1,
        max=3600,
        help="Seconds after which a worker looks for due work without a notification.",
    ),
    cfg.FloatOpt(
        "lease_seconds",
        default=30.0,
        min=1.0,
        max=86400,
        help="Seconds after which the work of a worker that died is due again. Leases are renewed every third of it.",
    ),
    cfg.FloatOpt(
        "observe_interval",
        default=15.0,
        min=0.1,
        max=86400,
        help="Seconds between two observations of a machine being installed. Up to four times as many for one whose "
        "installation has taken twenty times as long already, unless it reports.",
    ),
    cfg.IntOpt(
        "retention_days",
        default=0,
        min=0,
        max=36500,
        help="Workers delete tasks that ended more than this number of days ago, with all their data, and designs "
        "that no task uses any more. 0: never; DELETE /tasks does it on request.",
    ),
    cfg.BoolOpt(
        "guard",
        default=True,
        help="Refuse to destroy, or to prepare or deploy with force, a whole site unless the request says how many "
        "nodes it has (expect_nodes), or confirms all of them (all_nodes). Read by the API. Switch it off for clients "
        "that can send neither, such as Shipyard; each such task then has a warning.",
    ),
    cfg.StrOpt(
        "hardware_check",
        default=HardwareCheck.WARN.value,
        choices=[check.value for check in HardwareCheck],
        help="What deploy_nodes does with a machine whose hardware is not as the hardware profile and the design have "
        "it, before anything is written to it. fail: the node fails. warn: its task has a warning for each difference.",
    ),
    cfg.ListOpt(
        "rollout_waves",
        default=["100%"],
        help="The waves in which nodes of prepare_nodes, deploy_nodes and destroy_nodes begin, unless the request says "
        "otherwise: numbers of nodes or percentages of those in scope, cumulative, such as 1,10%,100%. "
        "Read by the API, as the next two.",
    ),
    cfg.StrOpt(
        "rollout_max_failed",
        default="",
        help="The number (or percentage) of failed nodes from which on no more begin; 0 is as 1; empty: no limit.",
    ),
    cfg.StrOpt(
        "rollout_pause",
        default="never",
        choices=["never", "after_first", "after_each"],
        help="After which waves a task pauses until it is resumed.",
    ),
    cfg.Opt("metrics_host", type=Host(), default="127.0.0.1", help="Address on which a worker serves its metrics."),
    cfg.PortOpt(
        "metrics_port",
        default=0,
        help="TCP port on which a worker serves its metrics; 0: not at all. If another worker of this host has it, "
        "one of the next nine is used, and logged.",
    ),
)


def _minutes(name: str, default: float, what: str) -> cfg.Opt:
    return cfg.FloatOpt(name, default=default, min=0.001, max=525600, help=f"Minutes {what}.")


TIMEOUTS_OPTS: tuple[cfg.Opt, ...] = (
    _minutes("resolve_design", 5, "to fetch and check a task's design, and to plan its nodes' work"),
    _minutes("verify_site", 1, "until the provisioner has answered that it is ready"),
    _minutes("prepare_site", 5, "to send the site's networks, tags and repositories to the provisioner"),
    _minutes("verify_node", 5, "until a node's BMC has answered, and the provisioner about the node"),
    _minutes("identify_node", 10, "until the provisioner has seen a node that was powered on"),
    _minutes("configure_hardware", 30, "to commission a node"),
    _minutes("apply_node_networking", 5, "to configure a node's network"),
    _minutes("apply_node_storage", 5, "to configure a node's disks"),
    _minutes("apply_node_platform", 5, "to configure a node's platform: kernel, tags"),
    _minutes("prepare_boot", 10, "to render and seal a node's boot actions, fetching what they refer to"),
    _minutes("deploy_node", 45, "from the start of a node's installation to its end"),
    _minutes("bootaction_final_status", 15, "until all boot actions of an installed node have reported"),
    _minutes("relabel_node", 5, "to send a node's labels to what keeps them"),
    _minutes("destroy_node", 30, "to erase and release a node"),
    _minutes("power", 10, "until a node's BMC has changed power or boot device"),
)
