"""[drivers], and one group for each driver."""

from __future__ import annotations

from oslo_config import cfg

from drydock.conf.types import HttpUrl, Template

DRIVERS_OPTS: tuple[cfg.Opt, ...] = (
    cfg.ListOpt(
        "oob",
        help="Out-of-band drivers that designs may ask for, such as redfish: names of entry points "
        "drydock.oob_drivers. To be set where a worker runs; empty for none.",
    ),
    cfg.StrOpt(
        "node",
        help="The node provisioner that installs operating systems: a name of an entry point drydock.node_drivers. To "
        'be set. "simulated" is for development: it installs no machine, but plays a site.',
    ),
    cfg.StrOpt(
        "labels",
        help="What keeps the labels of nodes that are part of a cluster: a name of an entry point "
        "drydock.label_drivers, such as kubernetes or promenade, or none; relabel_nodes fails without one. Unless it "
        "is set: promenade where [promenade] url is set, otherwise none.",
    ),
)


def label_driver(conf: cfg.ConfigOpts) -> str | None:
    """The name of the driver that keeps labels; None without one."""
    chosen: str | None = conf.drivers.labels
    if chosen:
        return None if chosen == "none" else chosen
    return "promenade" if conf.promenade.url else None


REDFISH_OPTS: tuple[cfg.Opt, ...] = (
    cfg.Opt(
        "endpoint",
        type=Template(url=True),
        default="https://{address}",
        help="URL of a node's BMC, where {address} stands for its address in the design, {node} for the node's name.",
    ),
    cfg.Opt(
        "system",
        type=Template(),
        default="",
        help="Identity of the node's system at its BMC, a template with the same fields. Empty: the only system that "
        "the BMC has.",
    ),
    cfg.BoolOpt("verify_tls", default=True, help="Refuse BMCs whose TLS certificate cannot be verified."),
    cfg.StrOpt(
        "ca_file",
        default="",
        help="PEM file of the authorities that sign the BMCs' TLS certificates, read at the start. A certificate that "
        "is signed by itself is its own authority. Empty: public authorities.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=30.0,
        min=0.1,
        max=600,
        help="Seconds to wait for one answer of a BMC, and for the end of another conversation with it: there is one "
        "at a time with each BMC, and it takes four times as long at most.",
    ),
)

IPMI_OPTS: tuple[cfg.Opt, ...] = (
    cfg.PortOpt("port", default=623, min=1, help="UDP port of BMCs, where the design's oob.port gives no other."),
    cfg.FloatOpt(
        "timeout",
        default=30.0,
        min=0.1,
        max=600,
        help="Seconds for each exchange with a BMC, the login included, and for the end of another one with it: there "
        "is one at a time with each BMC. Requests that get no answer are repeated meanwhile, since UDP loses some.",
    ),
)

LIBVIRT_OPTS: tuple[cfg.Opt, ...] = (
    cfg.Opt(
        "uri",
        type=Template(),
        default="",
        help="libvirt URI of the hypervisor of nodes whose design gives no oob.libvirt_uri, a template with the fields "
        "{address} and {node}, such as qemu+tls://{address}/system. Empty: each design has to give one.",
    ),
    cfg.Opt(
        "domain",
        type=Template(),
        default="{node}",
        help="Name of a node's domain at its hypervisor, a template with the same fields.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=30.0,
        min=0.1,
        max=600,
        help="Seconds for each exchange with a hypervisor, the connection included. To start a machine takes seconds.",
    ),
)

SIMULATED_OPTS: tuple[cfg.Opt, ...] = (
    cfg.Opt(
        "url",
        type=HttpUrl(),
        default="http://127.0.0.1:9100",
        help="Where the simulated site (drydock-simulator) listens.",
    ),
)

PROMENADE_OPTS: tuple[cfg.Opt, ...] = (
    cfg.Opt(
        "url",
        type=HttpUrl(),
        help="Where Promenade listens, if it keeps the labels of nodes. It is asked with a token of the service's own "
        "user, see [keystone_authtoken].",
    ),
    cfg.FloatOpt("timeout", default=30.0, min=0.1, max=600, help="Seconds to wait for one answer of Promenade."),
)

KUBERNETES_OPTS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt(
        "kubeconfig",
        help="File with the address of the cluster's API server, its CA and our credentials. Unless it is set, the "
        "worker runs in the cluster, and uses its pod's service account.",
    ),
    cfg.StrOpt("context", help="Which context of kubeconfig; unless it is set, its current one."),
    cfg.StrOpt(
        "field_manager",
        default="drydock",
        help="The name under which labels are applied. Labels that were applied under it, and that a design has no "
        "more, are removed; those of others stay. It must not change while a cluster has nodes.",
    ),
    cfg.BoolOpt(
        "force",
        default=False,
        help="Take over a label to which another manager has given another value. Unless it is set, relabel_nodes "
        "fails for such a node, and names the manager.",
    ),
    cfg.FloatOpt("timeout", default=30.0, min=0.1, max=600, help="Seconds to wait for one answer of the API server."),
)
