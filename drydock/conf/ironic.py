"""[ironic]: how the provisioner Ironic is reached, and what its nodes are given."""

from __future__ import annotations

from oslo_config import cfg

from drydock.conf.types import Certificates, HttpUrl, Template

IRONIC_OPTS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt(
        "auth_type",
        default="none",
        choices=["none", "http_basic", "password", "v3applicationcredential"],
        help="How Drydock authenticates to Ironic: none and http_basic for a standalone Ironic, the others with "
        "Keystone.",
    ),
    cfg.Opt(
        "endpoint_override",
        type=HttpUrl(),
        help="URL of Ironic's API, such as http://ironic.example.org:6385. To be set for none and http_basic; "
        "otherwise in place of the service catalogue's.",
    ),
    cfg.Opt("auth_url", type=HttpUrl(), help="URL of Keystone."),
    cfg.StrOpt("username", help="Account, for http_basic and password."),
    cfg.StrOpt("password", secret=True, help="The account's password."),
    cfg.StrOpt("user_domain_name", default="Default", help="Domain of the account."),
    cfg.StrOpt("project_name", help="Project of the account."),
    cfg.StrOpt("project_domain_name", default="Default", help="Domain of the project."),
    cfg.StrOpt("system_scope", help="all: a token for the whole system and not for a project."),
    cfg.StrOpt("application_credential_id", help="For v3applicationcredential."),
    cfg.StrOpt("application_credential_secret", secret=True, help="For v3applicationcredential."),
    cfg.StrOpt("region_name", help="Region of Ironic in the service catalogue."),
    cfg.ListOpt(
        "valid_interfaces",
        default=["internal", "public"],
        help="Interfaces of the service catalogue, in order of preference.",
    ),
    cfg.Opt("cafile", type=Certificates(), help="Certificates to trust, in PEM format. Unset: the usual ones."),
    cfg.StrOpt("certfile", help="Our own certificate, in PEM format."),
    cfg.StrOpt("keyfile", help="Key of our own certificate, in PEM format."),
    cfg.BoolOpt("insecure", default=False, help="Accept TLS certificates that cannot be verified."),
    cfg.FloatOpt(
        "timeout",
        default=90.0,
        min=1,
        max=600,
        help="Seconds to wait for one answer. A loaded Ironic takes tens of seconds to accept an installation.",
    ),
    cfg.StrOpt(
        "images_file",
        help="YAML or JSON: images by the names that designs use. Members of each: source (URL, or identity in "
        "Glance) or boot_iso, checksum, kernel and ramdisk (of the image of a partition), root_gb, arch, disk_format, "
        "kernels (a list of what designs may name with it), kernel_params (what its system is started with).",
    ),
    cfg.BoolOpt("glance", default=False, help="Glance's images may be used too, by their names. Needs Keystone."),
    cfg.DictOpt(
        "hardware_types",
        default={"redfish": "redfish", "ipmi": "ipmi"},
        help="Ironic's hardware type for each out-of-band type of a design, served by a conductor. "
        "What speaks Redfish may also be idrac, what speaks IPMI intel-ipmi; other types are given driver_info alone.",
    ),
    cfg.Opt(
        "redfish_endpoint",
        type=Template(url=True),
        default="https://{address}",
        help="URL of a node's BMC as Ironic reaches it, where {address} stands for its address in the design, {node} "
        "for the node's name.",
    ),
    cfg.DictOpt(
        "interfaces",
        default={},
        help="Hardware interfaces of nodes that are enrolled, such as deploy:direct,inspect:agent. Empty: Ironic's "
        "defaults.",
    ),
    cfg.DictOpt(
        "driver_info",
        default={},
        secret=True,
        help="More of driver_info for each node, such as deploy_kernel:URL,deploy_ramdisk:URL.",
    ),
    cfg.BoolOpt("inspect", default=True, help="Have Ironic inspect machines before they are made available."),
    cfg.BoolOpt(
        "automated_clean",
        help="Whether Ironic cleans nodes that are enrolled when they become available. Unset: as Ironic is "
        "configured.",
    ),
)
