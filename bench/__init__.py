"""Benchmarks, each against a floor that is measured in the same run. Not installed; see docs/reference/benchmarks.md."""
