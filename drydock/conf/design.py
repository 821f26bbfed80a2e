"""[design] and [references]: where designs and assets may be fetched from."""

from __future__ import annotations

from oslo_config import cfg

DESIGN_OPTS: tuple[cfg.Opt, ...] = (
    cfg.IntOpt("cache_size", default=4, min=0, help="Compiled designs that one process remembers."),
)

REFERENCES_OPTS: tuple[cfg.Opt, ...] = (
    cfg.ListOpt(
        "allowed_schemes",
        default=["drydock", "file", "http", "https"],
        help="URI schemes that references to designs and assets may use. drydock://designs/DIGEST names an uploaded "
        "design; file works under file_roots only, http and https to allowed_hosts only.",
    ),
    cfg.ListOpt(
        "allowed_hosts",
        default=["*"],
        help="Hosts that http and https references may name: names, *.suffix for all names below a domain, addresses "
        "or CIDRs; * allows every host. List your document servers here: everybody who may validate a design, which "
        "by default is every reader, decides what this service fetches.",
    ),
    cfg.ListOpt(
        "file_roots",
        default=[],
        help="Directories under which file references may lie. Nothing is allowed by default.",
    ),
    cfg.IntOpt("max_bytes", default=64 * 1024 * 1024, min=1024, help="Largest document or asset that is fetched."),
    cfg.FloatOpt("connect_timeout", default=5.0, min=0.1, help="Seconds to wait for a connection."),
    cfg.FloatOpt("read_timeout", default=30.0, min=0.1, help="Seconds to wait for a server's next bytes."),
)
