"""The HTTP server: gunicorn's processes and parser, with a worker in which no slow connection holds a thread.

``worker.py`` has the loop, ``connection.py`` one client's connection, ``bodies.py`` what arrives, ``answer.py`` what
leaves, ``deadlines.py`` the time limits, ``limits.py`` the numbers. Reasons: docs/decisions/0013.
"""

from drydock.http_server.limits import ServerLimits
from drydock.http_server.worker import BufferedWorker, buffered_worker

__all__ = ["BufferedWorker", "ServerLimits", "buffered_worker"]
