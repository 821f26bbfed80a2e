"""The boot script as the service hands it out."""

from __future__ import annotations

import hashlib

import pytest

from tests.api.conftest import Client
from tests.api.seeds import Seeds


@pytest.mark.parametrize("path", ["/bootdata/n01/script", "/bootactions/nodes/n01/script/"])
def test_a_node_gets_its_script(nobody: Client, seeds: Seeds, path: str) -> None:
    node = seeds.booted_node("n01")
    answer = nobody.get(path, headers=node.header)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/x-shellscript; charset=utf-8"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.text.startswith("#!/bin/sh\nDRYDOCK_NODE=n01\n")
    assert "/api/v1.0/bootdata/n01\n" in answer.text
    assert node.key not in answer.text


def test_by_its_own_key_only(nobody: Client, seeds: Seeds) -> None:
    seeds.booted_node("n01")
    other = seeds.booted_node("n02")
    assert nobody.get("/bootdata/n01/script").status_code == 401
    assert nobody.get("/bootdata/n01/script", headers=other.header).status_code == 403
    assert nobody.get("/bootdata/n03/script", headers=other.header).status_code == 404
