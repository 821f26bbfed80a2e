"""libvirt-python for the tests: installed, or that of the peers' environment, which is for the same interpreter."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from dev.peers import libvirt_python, packages


def load() -> Any:
    """The module ``libvirt``; skips where it cannot be had."""
    try:
        return importlib.import_module("libvirt")
    except ImportError:
        pass
    try:
        python = libvirt_python.ensure()
    except packages.Unavailable as error:
        pytest.skip(f"libvirt-python cannot be had: {error}")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # Last: our environment's packages have precedence over those beside it.
    sys.path.append(str(python.parents[1] / "lib" / version / "site-packages"))
    return importlib.import_module("libvirt")
