"""What ``make run`` and the tests share: an embedded PostgreSQL, a real Keystone, child processes. Not installed."""
