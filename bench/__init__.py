"""Benchmarks, each against a floor measured in the same run. Not installed; see docs/reference/benchmarks.md."""
