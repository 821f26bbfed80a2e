"""Tests hand arguments and fakes to our code; they do not patch it."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
PATCH = ("monkeypatch" + ".setattr(", "mock" + ".patch")

#: Modules that patch still, and how often. A module leaves this table with its last patch; none is added.
STILL = {
    "api/conftest.py": 1,
    "api/test_plain_bundles.py": 2,
    "api/test_service.py": 1,
    "orchestrator/test_contacts.py": 1,
    "security/test_no_secrets.py": 1,
    "unit/api/test_log.py": 1,
    "unit/api/test_request_log.py": 4,
    "unit/conf/test_conf.py": 1,
    "unit/conf/test_unknown.py": 1,
    "unit/design/test_loader.py": 1,
    "unit/design/test_references.py": 1,
}


def test_no_module_patches_more_than_before() -> None:
    found = {}
    for file in TESTS.rglob("*.py"):
        text = file.read_text()
        if count := sum(text.count(patch) for patch in PATCH):
            found[str(file.relative_to(TESTS))] = count
    more = {name: count for name, count in found.items() if count > STILL.get(name, 0)}
    assert not more, "pass an argument or a fake instead"
