"""Keystone's API for gunicorn. Runs in Keystone's virtual environment, not in ours."""

import sys

# NOTE: Keystone parses sys.argv when it is imported, takes gunicorn's options for its own, and exits.
del sys.argv[1:]

from keystone.wsgi.api import application  # noqa: E402

__all__ = ["application"]
