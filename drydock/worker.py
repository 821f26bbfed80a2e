"""``drydock-worker``: the engine as a process. SIGTERM finishes the steps in hand and hands the rest over."""

from __future__ import annotations

import gc
import logging
import signal
import sys

from drydock import bootstrap, conf, log
from drydock.db import start_check
from drydock.errors import DrydockError

LOG = logging.getLogger(__name__)


def main() -> None:
    try:
        options = conf.load(sys.argv[1:])
        log.configure(debug=options.debug)
        start_check.check(options.database.url)
        engine = bootstrap.build_engine(options)
        retention = bootstrap.build_retention(options)
    except DrydockError as exc:
        sys.exit(f"drydock-worker: {exc}")

    def stop(signum: int, frame: object) -> None:
        engine.stop()

    _collect_garbage_seldom()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    retention.start()
    engine.run()
    retention.stop()
    LOG.info("worker stopped")


def _collect_garbage_seldom() -> None:
    """A compiled design is a million objects that stay: looking through them again and again took a sixth of the time.

    What steps leave behind has no cycles but those of exceptions, and is found at the first look.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


if __name__ == "__main__":
    main()
