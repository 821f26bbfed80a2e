"""``BufferedWorker``: a gunicorn worker whose threads never wait for clients; ``Loop`` does the I/O."""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import uuid4

from gunicorn.http import wsgi
from gunicorn.workers.base import Worker

from drydock.http_server import refusals
from drydock.http_server.connection import Connection
from drydock.http_server.file_limit import room_for
from drydock.http_server.limits import ServerLimits
from drydock.http_server.loop import Loop

LOG = logging.getLogger(__name__)

#: How long a stopping worker keeps idle connections, to answer a request that is on its way.
STOP_SECONDS = 2.0


def buffered_worker(limits: ServerLimits) -> type[BufferedWorker]:
    """For gunicorn's ``worker_class``."""
    return type("BufferedWorker", (BufferedWorker,), {"limits": limits})


class BufferedWorker(Worker):  # type: ignore[misc]
    limits = ServerLimits()
    alive: bool

    def init_process(self) -> None:
        self._threads = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="request")
        self._loop = Loop(
            self.cfg,
            self.limits,
            most=room_for(self.limits.connections),
            submit=self._submit,
        )
        super().init_process()

    def _submit(self, connection: Connection) -> None:
        try:
            self._threads.submit(self._serve, connection)
        except RuntimeError:
            # The request is queued nevertheless, for the threads that there are.
            LOG.exception("no thread can be started for a request")

    def handle_exit(self, sig: int, frame: object) -> None:
        """SIGTERM."""
        if self.alive:
            self.alive = False
            self._loop.wake()

    def run(self) -> None:
        try:
            while self.alive and self.ppid == os.getppid():
                self.notify()
                self._loop.accept(self.sockets)
                self._loop.turn()
            self.alive = False
            self._finish()
        finally:
            self._loop.close()
            self._threads.shutdown(wait=False, cancel_futures=True)
            for listener in self.sockets:
                listener.close()

    def _finish(self) -> None:
        """Running requests get ``graceful_timeout`` seconds; connections without a request two."""
        self._loop.accept([])
        began = time.monotonic()
        while self._loop.connections and time.monotonic() < began + self.cfg.graceful_timeout:
            self.notify()
            if time.monotonic() > began + STOP_SECONDS:
                self._loop.drop_idle()
            self._loop.turn()

    def _serve(self, connection: Connection) -> None:
        """Serve a request in a thread. It waits for the client only while a long generated answer is read slowly."""
        answer = connection.answer
        connection.keep_alive = False
        try:
            connection.hand_over()
            answer.begin()
            connection.keep_alive = self._respond(connection)
            answer.end()
        except Exception as exc:  # the last handler of the thread: errors that the application did not answer
            connection.keep_alive = False
            if not answer.failed:
                request_id = str(uuid4())
                LOG.error("request failed in the server", exc_info=exc, extra={"request_id": request_id})
                if answer.take_back():
                    answer.sendall(refusals.FAILED.reply(request_id))
                else:
                    answer.fail()
        finally:
            self._loop.finished(connection)

    def _respond(self, connection: Connection) -> bool:
        """Whether the connection can be used again."""
        started = datetime.now()  # noqa: DTZ005 - as gunicorn's log of accesses wants it
        response, environ = wsgi.create(
            connection.request, connection.answer, connection.peer, connection.local, self.cfg
        )
        environ["wsgi.multithread"] = True
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False
        if not self.alive:
            response.force_close()
        parts: Any = self.wsgi(environ, response.start_response)
        try:
            for part in parts:
                response.write(part)
            response.close()
        finally:
            if hasattr(parts, "close"):
                parts.close()
        self.log.access(response, connection.request, environ, datetime.now() - started)  # noqa: DTZ005
        # The client cannot distinguish a short answer from one that is still being sent.
        short = response.response_length is not None and response.sent < response.response_length
        return not (response.should_close() or (short and connection.request.method != "HEAD"))
