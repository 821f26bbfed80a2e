"""``drydock-api``: the API under gunicorn, set up from our own configuration."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from oslo_config import cfg

from drydock import conf, shared_metrics
from drydock.conf.api import MAX_EVENT_BYTES
from drydock.errors import ConfigurationError, DrydockError
from drydock.http_server import ServerLimits, buffered_worker
from drydock.start import Process, start
from drydock.wsgi import LazyApplication

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOG = logging.getLogger(__name__)

#: Seconds that running requests have to end when the server stops.
GRACE_SECONDS = 30
#: Requests that a process holds before it leaves more to other processes: what it holds dies with it, what is still
#: in the backlog another process accepts.
REQUESTS_PER_THREAD = 8


def main() -> None:
    try:
        server = _Server(sys.argv[1:])
    except DrydockError as exc:
        sys.exit(f"drydock-api: {exc}")
    server.run()


def gunicorn_settings(options: cfg.ConfigOpts) -> dict[str, Any]:
    """Settings by gunicorn's names. Raises ``ConfigurationError``."""
    addresses = [(options.api.bind_host, options.api.port)]
    if (nodes := conf.node_listener(options)) is not None:
        addresses.append(nodes)
    return {
        "bind": [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses],
        "worker_class": buffered_worker(server_limits(options)),
        "workers": options.api.workers,
        "threads": options.api.threads,
        # Booting nodes must never be refused: without a free thread they wait in the backlog.
        "backlog": 2048,
        "timeout": 60,
        "graceful_timeout": GRACE_SECONDS,
        "proc_name": "drydock-api",
        "logger_class": _ServerLog,
        # No header of a proxy is needed here, and SCRIPT_NAME is accepted from no client.
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        # It would create a socket under $HOME, which a service may not have.
        "control_socket_disable": True,
        "worker_tmp_dir": heartbeat_directory(),
        "on_starting": share_metrics,
        "when_ready": guard_reload,
        "post_fork": reserve_metrics,
        "post_worker_init": build_application_now,
        "child_exit": forget_metrics,
    }


def server_limits(options: cfg.ConfigOpts) -> ServerLimits:
    """The server reads what any route may accept; each route refuses what is too large for it."""
    return ServerLimits(
        body_bytes=max(options.api.max_body_bytes, options.api.max_design_bytes, MAX_EVENT_BYTES),
        requests=options.api.threads * REQUESTS_PER_THREAD,
    )


class _ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's messages go through our handlers, which remove secrets."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers.clear()
            logger.propagate = True


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, args: Sequence[str]) -> None:
        """Raises ``ConfigurationError``."""
        self.args = args
        self._read()
        super().__init__(prog="drydock-api")

    def _read(self) -> None:
        self._options = start(Process.API, self.args)
        self._settings = gunicorn_settings(self._options)

    def reload(self) -> None:
        self._read()
        super().reload()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """Runs in each worker; connections and threads of the application are its own."""
        # NOTE: imported here because metrics look for their shared directory when they are first imported.
        from drydock.bootstrap.api import build_application

        return build_application(self._options)


def heartbeat_directory() -> str:
    """Directory of gunicorn's heartbeat files, which stay empty. Raises ``ConfigurationError``."""
    for directory in ("/dev/shm", None):  # noqa: S108 - None: TMPDIR, else /tmp and the like
        try:
            with tempfile.TemporaryFile(dir=directory):
                return directory or tempfile.gettempdir()
        except OSError:
            continue
    raise ConfigurationError("no directory can be written, and the server needs one for heartbeats: set TMPDIR to one")


def share_metrics(server: Any) -> None:
    shared_metrics.share()


def reserve_metrics(server: Any, worker: Any) -> None:
    shared_metrics.reserve(os.environ)


def build_application_now(worker: Any) -> None:
    """Errors of the configuration appear at the start, not at the first request."""
    if isinstance(worker.wsgi, LazyApplication):
        worker.wsgi.build()


def forget_metrics(server: Any, worker: Any) -> None:
    shared_metrics.give_back(worker.pid)


def guard_reload(server: Any) -> None:
    """SIGHUP restarts the workers with the present configuration, unless that is invalid."""
    reload = signal.getsignal(signal.SIGHUP)

    def checked(signum: int, frame: FrameType | None) -> None:
        try:
            gunicorn_settings(start(Process.API, *_given(server)))
        except DrydockError as exc:
            LOG.error("SIGHUP: nothing is reloaded: %s", exc)
            return
        if callable(reload):
            reload(signum, frame)

    signal.signal(signal.SIGHUP, checked)


def _given(server: Any) -> tuple[Sequence[str]]:
    """The arguments of ``drydock-api``; plain gunicorn's are not ours."""
    return (server.app.args if isinstance(server.app, _Server) else (),)


def environment_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Settings for ``gunicorn -c``, from the configuration that the environment names. Exits if that is invalid."""
    try:
        return gunicorn_settings(start(Process.API, env=environ))
    except DrydockError as exc:
        sys.exit(f"drydock-api: {exc}")


if __name__ == "__main__":
    main()
