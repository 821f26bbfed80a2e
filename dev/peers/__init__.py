"""Peers of the drivers: BMCs, a hypervisor and a provisioner that others wrote, as real processes on loopback."""
