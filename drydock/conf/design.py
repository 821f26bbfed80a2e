"""[design] and [references]: where designs and assets may be fetched from."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg

DESIGN_OPTS: tuple[cfg.Opt, ...] = (
    cfg.IntOpt("cache_size", default=4, min=0, help="Compiled designs that one process remembers."),
    cfg.FloatOpt(
        "images_seconds",
        default=60.0,
        min=0.0,
        help="How long one process remembers which images and kernels the provisioner offers (rule DD3001).",
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

#: Where clouds keep metadata and credentials of their machines.
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
        default=[
            "drydock",
            "file",
            "http",
            "https",
            "deckhand+http",
            "deckhand+https",
            "promenade+http",
            "promenade+https",
        ],
        help="URI schemes that references to designs and assets may use. drydock://designs/DIGEST names an uploaded "
        "design; file works under file_roots only, http and https to allowed_hosts only. deckhand+http and the others "
        "are asked with a Keystone token of [keystone_authtoken]; see token_hosts.",
    ),
    cfg.ListOpt(
        "allowed_hosts",
        default=["*"],
        help="Hosts that http and https references may name: names, *.suffix for all names below a domain, addresses "
        "or CIDRs; * allows every host. List your document servers here: everybody who may validate a design, which "
        "by default is every reader, decides what this service fetches.",
    ),
    cfg.ListOpt(
        "allowed_addresses",
        default=["*", *(f"!{network}" for network in METADATA)],
        help="Addresses and CIDRs to which connections may be made, whatever a host is called; ! forbids one. Checked "
        "for the address that is connected to, after each redirect too, and for an IPv4 address within an IPv6 one; "
        "who forbids 127.0.0.0/8 forbids all that leads to this machine. By default all but those where clouds keep "
        "their metadata: link-local ones, and those that Amazon, Google, Oracle, Azure, Alibaba and Scaleway use.",
    ),
    cfg.ListOpt(
        "token_hosts",
        default=[],
        help="Hosts, written as in allowed_hosts, that are sent a Keystone token of this service when a reference of "
        "deckhand+http or the like names them. Empty: those of allowed_hosts, unless that allows every host, which "
        "would give the token to whoever asks.",
    ),
    cfg.ListOpt(
        "file_roots",
        default=[],
        help="Directories under which file references may lie. Nothing is allowed by default.",
    ),
    cfg.IntOpt("max_bytes", default=64 * 1024 * 1024, min=1024, help="Largest document or asset that is fetched."),
    cfg.FloatOpt("connect_timeout", default=5.0, min=0.1, help="Seconds to wait for a connection."),
    cfg.FloatOpt("read_timeout", default=30.0, min=0.1, help="Seconds to wait for a server's next bytes."),
    cfg.StrOpt("ca_file", help="Certificates to trust in https references, instead of those of certifi."),
    cfg.IntOpt("retries", default=2, min=0, max=10, help="How often to ask again when a server is not available."),
    cfg.FloatOpt(
        "retry_pause", default=0.5, min=0.0, max=60.0, help="Seconds before the first retry, doubled for each next."
    ),
    cfg.FloatOpt(
        "cache_seconds",
        default=30.0,
        min=0.0,
        help="How long one process remembers what the URL of an asset answered; failures are never remembered. 0 asks "
        "each time. Designs are always fetched anew.",
    ),
    cfg.IntOpt(
        "cache_bytes", default=64 * 1024 * 1024, min=0, help="Size of all remembered answers of one process together."
    ),
)


def token_hosts(conf: cfg.ConfigOpts) -> Sequence[str]:
    """``[references] token_hosts``, or ``allowed_hosts`` if that is a list of hosts."""
    chosen: list[str] = conf.references.token_hosts
    allowed: list[str] = conf.references.allowed_hosts
    return chosen or ([] if "*" in allowed else allowed)
