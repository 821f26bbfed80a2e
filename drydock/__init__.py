"""Drydock: bare-metal provisioning from a declarative site design."""

__version__ = "0.2.0"
