"""[api] and [auth]: how the API is served, and authentication."""

from __future__ import annotations

from oslo_config import cfg

from drydock.conf.types import Host

MIB = 1024 * 1024
#: Larger than other bodies of machines: an installer's last event carries its log.
MAX_EVENT_BYTES = 8 * MIB

API_OPTS: tuple[cfg.Opt, ...] = (
    cfg.Opt(
        "bind_host",
        type=Host(),
        default="127.0.0.1",
        help="Address the API listens on. Use 0.0.0.0 for all addresses.",
    ),
    cfg.PortOpt("port", default=9000, min=1, help="TCP port the API listens on."),
    cfg.StrOpt(
        "node_listen",
        metavar="HOST:PORT",
        help="Another address to listen on, where only the nodes' routes are served and everything else is 404: for "
        "the provisioning network. Its port must not be that of [api] port. The nodes' routes are also served on "
        "bind_host, for nodes that were configured with that address.",
    ),
    cfg.IntOpt(
        "node_hold_seconds",
        default=30,
        min=0,
        max=3600,
        help="How long a node's request waits while the database does not answer, as in a restart: an installer "
        "does not try twice. Operators' requests fail at once.",
    ),
    cfg.StrOpt(
        "public_url",
        metavar="URL",
        help="The address at which operators reach this API, without /api: https://drydock.example.org or, behind a "
        "proxy that serves it under a path, https://cloud.example.org/drydock. Links in answers start with it. Unless "
        "set they start with the address that a request was sent to, which behind a proxy that ends TLS is http.",
    ),
    cfg.ListOpt(
        "trusted_proxies",
        default=[],
        help="Addresses and CIDRs of proxies whose Forwarded or X-Forwarded-Proto, -Host, -Port and -Prefix headers "
        "give the address that a request was sent to if public_url is not set. From others they are ignored.",
    ),
    cfg.IntOpt("workers", default=2, min=1, max=1024, help="Processes that serve the API."),
    cfg.IntOpt("threads", default=16, min=1, max=4096, help="Requests that one process serves at a time."),
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=[
            ("keystone", "Operators present a Keystone token; see [keystone_authtoken]."),
            ("noauth", "For development: the token is the name of a role. Served on loopback addresses only."),
        ],
        help="How operators authenticate. Nodes always use their own keys.",
    ),
    cfg.IntOpt("max_body_bytes", default=MIB, min=1024, help="Largest JSON request body."),
    cfg.IntOpt("max_design_bytes", default=64 * MIB, min=1024, help="Largest design that POST /designs accepts."),
    cfg.IntOpt(
        "max_wait_seconds",
        default=45,
        min=1,
        max=300,
        help="Longest SECONDS that GET /tasks/{id}?wait=SECONDS accepts, to wait for a change. Proxies by default "
        "give up on an answer after 50 s (HAProxy's documentation) or 60 s (nginx).",
    ),
    cfg.IntOpt(
        "max_waiting",
        min=0,
        help="Waiting requests of one process at a time; further ones are answered at once, so that booting "
        "nodes always find a free thread. Half of [api] threads unless set. Streams of a task's events may be half as "
        "many, besides.",
    ),
)

AUTH_OPTS: tuple[cfg.Opt, ...] = (
    cfg.IntOpt(
        "token_cache_seconds",
        default=60,
        min=0,
        max=86400,
        help="How long a validated Keystone token is accepted without asking Keystone again. A revoked token works at "
        "most this much longer. 0 asks Keystone for every request.",
    ),
    cfg.IntOpt("token_cache_size", default=10000, min=1, help="Validated tokens that one process caches."),
)
