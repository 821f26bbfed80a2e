"""``drydock-api``: the API under gunicorn, set up from our own configuration."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from oslo_config import cfg

from drydock import conf, log
from drydock.auth.noauth import require_loopback
from drydock.conf.api import MAX_EVENT_BYTES
from drydock.db import start_check
from drydock.errors import DrydockError
from drydock.http_server import ServerLimits, buffered_worker
from drydock.wsgi import LazyApplication

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: As in drydock.metrics, which must not be imported before the variable is set.
SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
#: Seconds that requests in hand get to end when the server stops.
GRACE_SECONDS = 30
#: Requests that a process has in hand before it leaves more to its neighbours: what it has dies with it, what is still
#: in the backlog, another process takes.
REQUESTS_PER_THREAD = 8


def main() -> None:
    try:
        options = conf.load(sys.argv[1:])
        log.configure(debug=options.debug)
        start_check.check(options.database.url)
        server = _Server(options)
    except DrydockError as exc:
        sys.exit(f"drydock-api: {exc}")
    server.run()


def gunicorn_settings(options: cfg.ConfigOpts) -> dict[str, Any]:
    """Settings by gunicorn's names. Raises ``ConfigurationError`` for an address that noauth must not serve."""
    if options.api.auth_strategy == "noauth":
        require_loopback(options.api.bind_host)
    addresses = [(options.api.bind_host, options.api.port)]
    if (nodes := conf.node_listener(options)) is not None:
        addresses.append(nodes)
    return {
        "bind": [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses],
        "worker_class": buffered_worker(server_limits(options)),
        "workers": options.api.workers,
        "threads": options.api.threads,
        # Booting nodes must never be turned away: those who find no free thread wait in the backlog.
        "backlog": 2048,
        "timeout": 60,
        "graceful_timeout": GRACE_SECONDS,
        "proc_name": "drydock-api",
        "logger_class": _ServerLog,
        # We need nothing that a proxy could tell us, and take no SCRIPT_NAME from anybody.
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        # It would write a socket under $HOME, which a service need not have.
        "control_socket_disable": True,
        "on_starting": share_metrics,
        "post_worker_init": build_application_now,
        "child_exit": forget_metrics,
        "on_exit": remove_metrics,
    }


def server_limits(options: cfg.ConfigOpts) -> ServerLimits:
    """The server reads what any route may accept; each route refuses what is too large for it."""
    return ServerLimits(
        body_bytes=max(options.api.max_body_bytes, options.api.max_design_bytes, MAX_EVENT_BYTES),
        requests=options.api.threads * REQUESTS_PER_THREAD,
    )


class _ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's messages go where ours go, and are kept free of secrets there."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers.clear()
            logger.propagate = True


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, options: cfg.ConfigOpts) -> None:
        self._options = options
        self._settings = gunicorn_settings(options)
        super().__init__(prog="drydock-api")

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """Runs in each worker; connections and threads of the application are its own."""
        # NOTE: imported here because metrics look for their shared directory when they are first imported.
        from drydock.bootstrap import build_application

        return build_application(self._options)


def share_metrics(server: Any) -> None:
    """Before the workers start: a directory where they add up their numbers, unless the operator named one."""
    if not os.environ.get(SHARED_METRICS):
        os.environ[SHARED_METRICS] = server.drydock_metrics = tempfile.mkdtemp(prefix="drydock-metrics-")


def build_application_now(worker: Any) -> None:
    """What is wrong with the configuration is told at the start, and not by the first request."""
    if isinstance(worker.wsgi, LazyApplication):
        worker.wsgi.build()


def forget_metrics(server: Any, worker: Any) -> None:
    """A worker has gone: what it counted stays, what it was doing does not."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def remove_metrics(server: Any) -> None:
    directory = getattr(server, "drydock_metrics", None)
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)


def environment_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Settings for ``gunicorn -c``, from the configuration that the environment names."""
    options = conf.load(env=environ)
    log.configure(debug=options.debug)
    start_check.check(options.database.url)
    return gunicorn_settings(options)


if __name__ == "__main__":
    main()
