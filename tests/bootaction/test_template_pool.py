"""Templates that want too much: which limit ends them, and what becomes of the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from drydock.bootaction.template_child import TemplateChild, interpreter
from drydock.bootaction.template_frames import pack
from drydock.bootaction.template_limits import LimitExceededError, TemplateFaultError, TemplateLimits
from drydock.bootaction.template_pool import TemplatePool
from drydock.errors import RendererUnavailable
from tests.unit.bootaction.sites import pool

LIMITS = TemplateLimits(max_seconds=0.5, max_bytes=100_000)
ENDLESS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
#: Two lists that are doubled, and compared: 2**60 comparisons in one call of C.
DOUBLED = (
    "{% set a = namespace(x=[1]) %}{% set b = namespace(x=[1]) %}{% for i in range(60) %}"
    "{% set a.x = [a.x, a.x] %}{% set b.x = [b.x, b.x] %}{% endfor %}"
)
DEEP = "{% set n = namespace(t=(1,)) %}{% for i in range(99999) %}{% set n.t = (n.t,) %}{% endfor %}"
DEEPER = DEEP + "{% for i in range(99999) %}{% set n.t = (n.t,) %}{% endfor %}"
BIG = "'a' * 90000"
WIDE = "{% set x = [[['a' * 1000] * 1000] * 1000] %}"


def render(source: str, limits: TemplateLimits = LIMITS) -> str:
    return pool(limits).for_task(object())(source, {"node": {"tags": ["a", "b"]}}).text


@pytest.mark.parametrize(
    "source",
    [
        ENDLESS,
        "{% macro a(n) %}{% for i in range(99999) %}{{ a(n - 1) if n }}{% endfor %}{% endmacro %}{{ a(50) }}",
        DOUBLED + "{{ a.x == b.x }}",
        DOUBLED + "{{ a.x in [b.x] }}",
        DOUBLED + "{{ a.x | string | length }}",
        DOUBLED + "{{ a.x | tojson }}",
        DOUBLED + "{{ a.x | pprint }}",
        "{{ ('0x' + 'f' * 4000000) | int(0, 16) // (('0x' + 'e' * 1999999) | int(0, 16)) }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ 10 ** (10 ** 10) }}",
        "{% set n = namespace(x=7) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x > 1 }}",
        "{{ ((')' * 200000) + 'a)') | urlize }}",
        "{{ ('a' * 99999 + ' ') * 900 | wordwrap(1) }}",
        "{{ ([[1]] * 99999) | sum(start=[]) | length }}",
        "{% set n = namespace(x={}) %}{% for i in range(40) %}{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}"
        "{{ n.x | tojson }}",
        "{{ '{:>9999999999}'.format(1) }}",
        "{{ 'a' * 10**10 }}",
        "{{ 10**10 * 'a' }}",
        "{{ [1] * 10**9 }}",
        WIDE + "{{ '%s' % x }}",
        WIDE + "{{ x ~ '' }}",
        WIDE + "{{ '{}'.format(x) }}",
        "{% set a = 'a' * 1000 %}" + "{% set a = a ~ a %}" * 40,
        "{% set a = 'a' * 1000 %}" + "{% set a = '%s%s' % (a, a) %}" * 40,
        "{% set l = [1] %}" + "{% set _ = l.extend(l) %}" * 40,
        "{% set x %}{% for i in range(99999) %}{{ " + BIG + " }}{% endfor %}{% endset %}",
        "{% set l = [] %}{% for i in range(99999) %}{% set _ = l.append('a' * (90000 + i)) %}{% endfor %}",
        "{% for i in range(99999) %}" + "z" * 100 + "{% endfor %}",
        "{{ (" + BIG + ") | replace('a', " + BIG + ") }}",
        "{{ (" + BIG + ").join(['x'] * 100000) }}",
        "{{ 'a'.ljust(10**10) }}",
        "{{ ('\\t' * 90000).expandtabs(90000) }}",
        "{{ ('a\\n' * 9000) | indent(900000) }}",
        "{{ node.tags | batch(10**9, 'x') | list }}",
        "{{ node.tags | slice(10**9) | list }}",
        "{{ node | tojson(indent=10**9) }}",
        "{{ '%*d' % (10**9, 1) }}",
        "{{ '%.*f' % (10**9, 1.0) }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ ('{:1000000000}' | attr('format'))(1) }}",
        "{{ 'a'.translate({97: " + BIG + "}) * 5 }}",
        "{{ " + BIG + " * 5 }}",
        "{{ 'é' * 90000 }}",
        "{% set s = 'a' * 50000000 %}{% set l = [] %}{% for i in range(99999) %}"
        "{% set _ = l.append(s[i:]) %}{% endfor %}",
        "{% if a %}" * 50000 + "{% endif %}" * 50000,
    ],
)
def test_a_limit_ends_it(source: str) -> None:
    began = time.monotonic()
    with pytest.raises(TemplateFaultError) as caught:
        render(source)
    if isinstance(caught.value, LimitExceededError):
        assert str(caught.value).startswith("the template ")
    assert time.monotonic() - began < 30
    assert render("{{ node.tags | join }}") == "ab"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (DOUBLED + "{{ a.x == b.x }}", "the template takes longer than 0.5 s"),
        ("{{ 'a' * 10**10 }}", "the template needs too much memory"),
        ("{{ 'a' * 200000 }}", "the template makes more than 100000 bytes"),
        ("x" * 300_000, "the template is longer than 262144 characters"),
    ],
)
def test_its_error_names_the_limit(source: str, reason: str) -> None:
    with pytest.raises(LimitExceededError) as caught:
        render(source)
    assert str(caught.value) == reason


def test_one_that_ends_its_renderer_ends_nothing_else() -> None:
    generous = TemplateLimits(max_seconds=20, max_bytes=100_000)
    with pytest.raises(LimitExceededError, match=r"ended its renderer by signal 11 \(SIGSEGV\)"):
        render(DEEPER + "{{ {n.t: 1} | length }}", generous)
    assert render("{{ 1 + 1 }}", generous) == "2"


def test_a_large_template_is_compiled_within_the_limits_or_not_at_all() -> None:
    try:
        assert render("{{a}}" * 52_000) == ""
    except LimitExceededError:
        assert render("{{ 1 + 1 }}") == "2"


def test_bombs_and_ordinary_templates_side_by_side() -> None:
    """Each of the bombs fails, and nothing else."""
    templates = TemplatePool(LIMITS, processes=4)
    sources = ["{{ node }}"] * 40 + [DOUBLED + "{{ a.x == b.x }}", "{{ 'a' * 10**10 }}"] * 2 + ["{{ node }}!"] * 40

    def one(numbered: tuple[int, str]) -> str:
        try:
            return templates.for_task("task")(numbered[1], {"node": numbered[0]}).text
        except LimitExceededError:
            return "limit"

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(one, enumerate(sources)))
    assert found == [str(n) for n in range(40)] + ["limit"] * 4 + [f"{n}!" for n in range(44, 84)]


def test_a_bomb_for_many_nodes_gets_less_and_less_time() -> None:
    render = pool(TemplateLimits(max_seconds=1, max_bytes=1000)).for_task("task")
    for seconds in ("1", "0.25", "0.2", "0.2"):
        with pytest.raises(LimitExceededError, match=f"longer than {seconds} s"):
            render("{% if bomb %}" + ENDLESS + "{% endif %}fine", {"bomb": True})
    # Whatever a node has to do with those is of no matter to others, nor to another task.
    assert render("{% if bomb %}" + ENDLESS + "{% endif %}fine", {"bomb": False}).text == "fine"
    with pytest.raises(LimitExceededError, match="longer than 1 s"):
        pool(TemplateLimits(max_seconds=1, max_bytes=1000)).for_task("other")(ENDLESS, {})


def test_a_waiting_thread_does_not_keep_others_from_running() -> None:
    """A single call of C that takes half a second: the interpreter is ours meanwhile."""
    turns, done = 0, threading.Event()

    def bomb() -> None:
        with pytest.raises(LimitExceededError):
            render(DOUBLED + "{{ a.x == b.x }}")
        done.set()

    thread = threading.Thread(target=bomb)
    thread.start()
    while not done.wait(0.001):
        turns += 1
    thread.join()
    assert turns > 50


def test_what_is_drawn_at_random_is_the_same_where_it_must_be_and_only_there() -> None:
    templates, source = TemplatePool(LIMITS, processes=1), "{{ range(99999) | random }} {{ range(99999) | random }}"
    drawn, repeated = templates.for_task("a"), templates.for_task("a", repeatable=True)
    first = {repeated(source, {}).text for _ in range(3)}
    others = {drawn(source, {}).text for _ in range(5)}
    again = {repeated(source, {}).text for _ in range(3)}
    templates.close()
    assert (len(first), first) == (1, again)
    assert len(others) > 1


def test_a_request_of_the_release_before_is_answered() -> None:
    """A worker that runs while its files are replaced starts the new program."""
    child = TemplateChild(max_memory=1 << 28)
    request = pack({"source": "{{ 1 + 1 }}", "variables": {}, "seconds": 5, "max_bytes": 100})
    assert child.ask(request, seconds=5, max_bytes=100).body == b"2"
    child.end()


def test_a_server_that_embeds_python_is_not_taken_for_python() -> None:
    assert interpreter(sys.executable, "/x") == sys.executable
    found = interpreter("/usr/bin/uwsgi", sys.exec_prefix)
    assert subprocess.run([found, "-c", "print(2)"], capture_output=True, check=True).stdout == b"2\n"


def test_an_idle_renderer_that_was_ended_is_replaced() -> None:
    others = _children()
    templates = TemplatePool(LIMITS, processes=1)
    render = templates.for_task(None)
    assert render("{{ 1 }}", {}).text == "1"
    (first,) = _children() - others
    os.kill(first, signal.SIGKILL)
    assert render("{{ 2 }}", {}).text == "2"
    (second,) = _children() - others
    # What ends a service may signal all its processes.
    os.kill(second, signal.SIGTERM)
    assert render("{{ 3 }}", {}).text == "3"
    assert _children() - others == {second}
    templates.close()
    assert _children() == others


def _children() -> set[int]:
    return {int(pid) for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()}


WORKER = """
import sys
from drydock.bootaction.template_limits import TemplateLimits
from drydock.bootaction.template_pool import TemplatePool
render = TemplatePool(TemplateLimits(max_seconds=1, max_bytes=1000), processes=1).for_task(None)
render("{{ 1 }}", {})
print("ready", flush=True)
render(sys.argv[1], {})
"""


@pytest.mark.parametrize("source", [DOUBLED + "{{ a.x == b.x }}", "wait"])
def test_renderers_end_with_a_worker_that_is_killed(source: str) -> None:
    """Their standard error is the worker's: it reads as ended when the last of them has ended."""
    code = WORKER if source != "wait" else WORKER.replace("render(sys.argv[1], {})", "sys.stdin.read()")
    with subprocess.Popen(
        [sys.executable, "-c", code, source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None
        assert worker.stderr is not None
        assert worker.stdout.readline() == b"ready\n"
        worker.kill()
        began = time.monotonic()
        assert worker.stderr.read() == b""
        assert time.monotonic() - began < 30


def test_a_template_waits_for_others_as_long_as_there_is_time() -> None:
    shared = TemplatePool(TemplateLimits(max_seconds=5, max_bytes=1000), processes=1)
    hurried = shared.for_task("hurried", left=lambda: 0.1)
    with ThreadPoolExecutor(1) as threads:
        long = threads.submit(shared.for_task("long"), ENDLESS, {})

        def until_refused() -> None:
            while not long.done():
                hurried("{{ 1 }}", {})

        with pytest.raises(RendererUnavailable, match="no renderer was free in time"):
            until_refused()
        assert not long.done()
        assert isinstance(long.exception(60), LimitExceededError)
    assert shared.for_task("later", left=lambda: 30)("{{ 1 }}", {}).text == "1"
    shared.close()


def test_a_template_takes_no_longer_than_there_is_time() -> None:
    shared = TemplatePool(TemplateLimits(max_seconds=60, max_bytes=1000), processes=1)
    began = time.monotonic()
    with pytest.raises(LimitExceededError):
        shared.for_task("hurried", left=lambda: 0.3)(ENDLESS, {})
    assert time.monotonic() - began < 20
    shared.close()
