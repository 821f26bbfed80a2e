"""``drydock-worker``: the engine as a process.

SIGTERM, SIGINT and SIGQUIT finish the steps in hand and hand the rest over. SIGHUP does so too, and then starts the
program anew in the same process, with the configuration as it is then. SIGUSR1 writes the stack of each thread to
standard error.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import sys
from types import FrameType

from drydock.bootstrap.worker import build_worker
from drydock.errors import DrydockError
from drydock.start import Process, start

LOG = logging.getLogger(__name__)


def main() -> None:
    try:
        options = start(Process.WORKER, sys.argv[1:])
        parts = build_worker(options)
        parts.metrics.start()
    except DrydockError as exc:
        sys.exit(f"drydock-worker: {exc}")
    again: list[int] = []

    def stop(signum: int, frame: FrameType | None) -> None:
        again.clear()
        parts.engine.stop()

    def start_anew(signum: int, frame: FrameType | None) -> None:
        try:
            start(Process.WORKER, sys.argv[1:])
        except DrydockError as exc:
            LOG.error("SIGHUP: this worker goes on as it is: %s", exc)
            return
        again.append(signum)
        parts.engine.stop()

    _collect_garbage_seldom()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, start_anew)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    parts.retention.start()
    parts.presence.start()
    parts.engine.run()
    parts.presence.stop()
    parts.retention.stop()
    LOG.info("worker stopped")
    if again:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the same program


def _collect_garbage_seldom() -> None:
    """A compiled design is a million objects that stay: looking through them again and again took a sixth of the time.

    What steps leave behind has no cycles but those of exceptions, and is found at the first look.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


if __name__ == "__main__":
    main()
