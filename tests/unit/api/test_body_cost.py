"""What it costs to refuse a body, whatever is in it."""

from __future__ import annotations

import io
import time
import tracemalloc

import falcon
import pytest
from falcon.testing import create_environ

from drydock.api.body import JsonBody
from drydock.api.schemas.boot_action import REPORT
from drydock.api.schemas.tasks import CREATE_TASK
from drydock.errors import InvalidInput

MIB = 1024 * 1024
BODIES = {
    "long key": b'{"' + b"k" * 300_000 + b'":[' + b"0," * 350_000 + b"0]}",
    "empty objects": b'{"details":[' + b"{}," * (MIB // 3 - 10) + b"{}]}",
    "empty lists": b'{"details":[' + b"[]," * (MIB // 3 - 10) + b"[]]}",
    "numbers": b'{"details":[' + b"0," * (MIB // 2 - 10) + b"0]}",
    "short strings": b'{"details":[' + b'"ab",' * 29_000 + b"0]}",
    "keys": b'{"details":[{"message":"","error":true,"x":{'
    + b",".join(b'"%x":0' % i for i in range(90_000))
    + b"}},7]}",
    "details": b'{"details":[' + b'{"message":"","error":true},' * 35_000 + b"7]}",
    "details in spaces": b'{"details":[' + b'{"message":"","error":true},' * 9_000 + b"7]}" + b" " * 700_000,
    "quotes": b'{"details":"' + b'\\"' * (MIB // 2 - 20) + b'"}',
    "commas": b'{"details":"' + b"," * (MIB - 20) + b'"}',
    "nothing but quotes": b'"' * MIB,
    "backslashes": b'{"x":"' + b"\\" * (MIB - 10),
    "digits": b'{"details":' + b"9" * (MIB - 20) + b"}",
    "many digits": b'{"details":[' + (b"9" * 4000 + b",") * 200 + b"0]}",
    "depth": b"[" * MIB,
    "wide characters": b'{"details":[{"message":"'
    + ("\U0001f600" + "a" * (MIB - 100)).encode()
    + b'","error":true},7]}',
}


def refuse(body: JsonBody, content: bytes) -> None:
    environ = create_environ(
        method="POST", headers={"Content-Type": "application/json", "Content-Length": str(len(content))}
    )
    environ["wsgi.input"] = io.BytesIO(content)
    with pytest.raises(InvalidInput):
        body.read(falcon.Request(environ))


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("schema", [REPORT, CREATE_TASK], ids=["report", "task"])
def test_it_is_less_than_ten_times_its_size(name: str, schema: dict[str, object]) -> None:
    content = BODIES[name]
    body = JsonBody(schema, MIB)
    began = time.process_time()
    refuse(body, content)
    assert time.process_time() - began < 1
    tracemalloc.start()
    try:
        refuse(body, content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Besides the body itself. Python keeps all of a text as wide as its widest character: four times its bytes.
    assert peak < (10.5 if name == "wide characters" else 9) * len(content)


def test_text_may_hold_what_separates_values() -> None:
    content = b'{"details":[{"message":"' + b'[{,:\\"' * 100_000 + b'","error":true}]}'
    environ = create_environ(
        method="POST", headers={"Content-Type": "application/json", "Content-Length": str(len(content))}
    )
    environ["wsgi.input"] = io.BytesIO(content)
    assert len(JsonBody(REPORT, MIB).read(falcon.Request(environ))["details"]) == 1
