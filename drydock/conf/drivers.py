"""[drivers], and one group for each driver."""

from __future__ import annotations

from oslo_config import cfg

DRIVERS_OPTS: tuple[cfg.Opt, ...] = (
    cfg.ListOpt(
        "oob",
        default=["redfish"],
        help="Out-of-band drivers that designs may ask for: names of entry points drydock.oob_drivers.",
    ),
    cfg.StrOpt(
        "node",
        default="simulated",
        help="The node provisioner that installs operating systems: a name of an entry point drydock.node_drivers.",
    ),
)

REDFISH_OPTS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt(
        "endpoint",
        default="https://{address}",
        help="URL of a node's BMC, where {address} stands for its address in the design, {node} for the node's name.",
    ),
    cfg.StrOpt(
        "system",
        default="",
        help="Identity of the node's system at its BMC, a template with the same fields. Empty: the only system that "
        "the BMC has.",
    ),
    cfg.BoolOpt("verify_tls", default=True, help="Refuse BMCs whose TLS certificate cannot be verified."),
    cfg.FloatOpt("timeout", default=30.0, min=0.1, max=600, help="Seconds to wait for one answer of a BMC."),
)

SIMULATED_OPTS: tuple[cfg.Opt, ...] = (
    cfg.URIOpt(
        "url",
        default="http://127.0.0.1:9100",
        schemes=["http", "https"],
        help="Where the simulated site (drydock-simulator) listens.",
    ),
)
