"""[design] and [references]: where designs and assets may be fetched from."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg, types

from drydock.conf.types import AddressEntry, Certificates, Directory, HostEntry

DESIGN_OPTS: tuple[cfg.Opt, ...] = (
    cfg.IntOpt("cache_size", default=4, min=0, help="Compiled designs that one process caches."),
    cfg.FloatOpt(
        "images_seconds",
        default=60.0,
        min=0.0,
        help="How long one process caches the list of the provisioner's images and kernels (rule DD3001).",
    ),
    cfg.FloatOpt(
        "images_patience",
        default=5.0,
        min=0.1,
        max=60.0,
        help="Seconds that a validation waits for the provisioner's list of images; without it, a warning says that "
        "images were not checked.",
    ),
)

SCHEMES = (
    "drydock",
    "file",
    "http",
    "https",
    "deckhand+http",
    "deckhand+https",
    "promenade+http",
    "promenade+https",
)
#: Addresses of clouds' metadata services, which serve credentials of their machines.
METADATA = (
    "169.254.0.0/16",
    "fe80::/10",
    "fd00:ec2::/32",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:42::42",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
)

REFERENCES_OPTS: tuple[cfg.Opt, ...] = (
    cfg.ListOpt(
        "allowed_schemes",
        item_type=types.String(choices=SCHEMES, ignore_case=True),
        default=list(SCHEMES),
        help="URI schemes that references to designs and assets may use. drydock://designs/DIGEST names an uploaded "
        "design; file works under file_roots only, http and https to allowed_hosts only. deckhand+http and the others "
        "are requested with a Keystone token of [keystone_authtoken]; see token_hosts.",
    ),
    cfg.ListOpt(
        "allowed_hosts",
        item_type=HostEntry(),
        default=["*"],
        help="Hosts that http and https references may name: names, *.suffix for all names below a domain, addresses "
        "or CIDRs; * allows every host. List your document servers here: every user who may validate a design, "
        "by default every reader, decides what this service fetches.",
    ),
    cfg.ListOpt(
        "allowed_addresses",
        item_type=AddressEntry(),
        default=["*", *(f"!{network}" for network in METADATA)],
        help="Addresses and CIDRs to which connections may be made, whatever the host's name; ! forbids one. Checked "
        "for each connection, after redirects too, and for an IPv4 address within an IPv6 one; "
        "!127.0.0.0/8 forbids every address of this machine. By default all but the metadata services "
        "of clouds: link-local ones, and those of Amazon, Google, Oracle, Azure, Alibaba and Scaleway.",
    ),
    cfg.ListOpt(
        "token_hosts",
        item_type=HostEntry(),
        default=[],
        help="Hosts, written as in allowed_hosts, to which this service sends its Keystone token when a reference of "
        "deckhand+http or the like names them. Empty: those of allowed_hosts, unless that allows every host, "
        "which would send the token to any host that a reference names.",
    ),
    cfg.ListOpt(
        "file_roots",
        item_type=Directory(),
        default=[],
        help="Directories below which file references may read. By default none.",
    ),
    cfg.IntOpt("max_bytes", default=64 * 1024 * 1024, min=1024, help="Largest document or asset that is fetched."),
    cfg.FloatOpt("connect_timeout", default=5.0, min=0.1, help="Seconds to wait for a connection."),
    cfg.FloatOpt("read_timeout", default=30.0, min=0.1, help="Seconds to wait for a server's next bytes."),
    cfg.Opt(
        "ca_file",
        type=Certificates(),
        help="File of certificates to trust in https references, instead of those of certifi.",
    ),
    cfg.IntOpt("retries", default=2, min=0, max=10, help="How many times to retry when a server is not available."),
    cfg.FloatOpt(
        "retry_pause", default=0.5, min=0.0, max=60.0, help="Seconds before the first retry, doubled for each next."
    ),
    cfg.FloatOpt(
        "cache_seconds",
        default=30.0,
        min=0.0,
        help="How long one process caches the body of an asset's URL; failures are never cached. 0 fetches "
        "each time. Designs are never cached, nor is what plans are made and applied with.",
    ),
    cfg.FloatOpt(
        "plan_seconds",
        default=20.0,
        min=0.0,
        max=600.0,
        help="Seconds that one plan may fetch assets and render templates, to compare what is in them with what "
        "machines were deployed with. Nodes for which that is not enough are blocked, and say so. 0: only addresses "
        "are compared.",
    ),
    cfg.IntOpt(
        "cache_bytes", default=64 * 1024 * 1024, min=0, help="Size of all cached bodies of one process together."
    ),
)


def token_hosts(conf: cfg.ConfigOpts) -> Sequence[str]:
    """``[references] token_hosts``, or ``allowed_hosts`` if that is a list of hosts."""
    chosen: list[str] = conf.references.token_hosts
    allowed: list[str] = conf.references.allowed_hosts
    return chosen or ([] if "*" in allowed else allowed)
