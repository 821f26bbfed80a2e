"""``application`` for any WSGI server: ``gunicorn -c etc/drydock/gunicorn.conf.py drydock.wsgi:application``.

It is made when a server asks for it, from the configuration that the environment names; importing does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    application: WSGIApplication


def __getattr__(name: str) -> WSGIApplication:
    if name != "application":
        raise AttributeError(name)
    from drydock.bootstrap import build_application
    from drydock.start import Process, start

    return build_application(start(Process.API))
