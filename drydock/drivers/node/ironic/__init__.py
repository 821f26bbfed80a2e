"""Ironic as a node provisioner, over its API: machines are enrolled, inspected, cleaned and installed by it."""
