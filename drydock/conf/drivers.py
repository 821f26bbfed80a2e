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
        help="URL of a node's BMC; {address} stands for its address in the design. A node's own out-of-band "
        "parameter redfish_endpoint comes first.",
    ),
    cfg.StrOpt(
        "system",
        default="",
        help="Identity of the system that a BMC manages, where {node} stands for the node's name. Empty: the only "
        "system the BMC has. A node's own out-of-band parameter redfish_system comes first.",
    ),
    cfg.BoolOpt("verify_tls", default=True, help="Refuse BMCs whose TLS certificate cannot be verified."),
    cfg.FloatOpt("timeout", default=30.0, min=0.1, help="Seconds to wait for one answer of a BMC."),
)

SIMULATED_OPTS: tuple[cfg.Opt, ...] = (
    cfg.URIOpt(
        "url",
        default="http://127.0.0.1:9100",
        schemes=["http", "https"],
        help="Where the simulated site (drydock-simulator) listens.",
    ),
)
