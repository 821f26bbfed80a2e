"""Templates: what they can say, what they cannot get at, and what they may not spend."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from drydock.bootaction.template_budget import LimitExceededError, TemplateLimits
from drydock.bootaction.templates import FAULTS, render_template

LIMITS = TemplateLimits(max_seconds=0.5, max_bytes=100_000)
VARIABLES = {"node": {"tags": ["a", "b"], "labels": {"k": "v"}, "name": "n1"}}


def render(source: str, limits: TemplateLimits = LIMITS) -> str:
    return render_template(source, VARIABLES, limits)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "{{ node.tags | join(',') }}|{{ node['name'] | upper }}|{{ 1 + 2 * 3 }}|{{ 2**10 }}|{{ 7//2 }}|{{ 7%4 }}",
            "a,b|N1|7|1024|3|3",
        ),
        (
            "{% for t in node.tags %}{{ loop.index }}/{{ loop.length }}{{ t }}{{ ',' if not loop.last }}{% endfor %}",
            "1/2a,2/2b",
        ),
        ("{% for k, v in node.labels.items() %}{{ k }}={{ v }}{% else %}none{% endfor %}", "k=v"),
        ("{% for t in node.tags if t != 'a' recursive %}{{ t }}{% endfor %}", "b"),
        (
            "{% for i in [1, [2, [3]]] recursive %}{{ i if i is number else loop(i) }}{% endfor %}",
            "123",
        ),
        ("{{ 'a' ~ 1 ~ none ~ node.tags }}", "a1None['a', 'b']"),
        (
            "{{ 'a' * 3 }}{{ '%s-%03d' % ('x', 7) }}{{ '%s' | format('y') }}{{ '{}{:>3}'.format(1, 2) }}",
            "aaax-007y1  2",
        ),
        ("{{ 'deckhand+http://x:1/y?a b' | urlencode }}", "deckhand%2Bhttp%3A//x%3A1/y%3Fa%20b"),
        ("{{ nothing }}{{ node.nothing }}|", "|"),
        ("line\n", "line"),
        ("line\n\n", "line\n"),
        ("{% set x %}a{{ 1 }}{% endset %}{{ x }}{% macro m(y) %}<{{ y }}>{% endmacro %}{{ m(2) }}", "a1<2>"),
        ("{% filter upper %}abc{% endfilter %}{{ [3, 1] | sort | map('string') | list }}", "ABC['1', '3']"),
        ("{% set n = namespace(x=1) %}{% for i in range(3) %}{% set n.x = n.x + i %}{% endfor %}{{ n.x }}", "4"),
        ("{% raw %}{{ raw }}{% endraw %}{# comment #}{{ '<&>' }}", "{{ raw }}<&>"),
        ("{{ node.labels | dictsort }}{{ node | length }}{{ node.tags | tojson }}", "[('k', 'v')]3[\"a\", \"b\"]"),
    ],
)
def test_ordinary_templates(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ node.tags.__init__.__globals__ }}",
        "{{ ''['__class__'].mro() }}",
        "{{ ('' | attr('__class__')).mro() }}",
        "{{ '{0.__class__.__mro__}'.format('') }}{{ ['{0.__class__}'] | map('format') | first }}".replace("{0.", "{0.")
        + "{{ 1/0 }}",
        "{{ node.items.__self__ }}{{ node.items.__func__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ lipsum.__globals__['os'] }}",
        "{{ (1).__class__.__base__ }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}{{ os }}",
        "{% extends 'x' %}",
        "{{ open('/etc/passwd') }}",
        "{{ joiner.__init__.__globals__.sys }}",
        "{% set c = ''.join %}{{ c.__class__('x') }}",
        "{{ render_template.__code__ }}",
    ],
)
def test_no_way_out_of_the_sandbox(source: str) -> None:
    try:
        found = render(source)
    except FAULTS:
        return
    # What the sandbox hides is undefined, and undefined is empty.
    assert found == ""


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro a(n) %}{% for i in range(99999) %}{{ a(n - 1) if n }}{% endfor %}{% endmacro %}{{ a(50) }}",
        "{% for i in range(99999) %}{{ node.tags | map('upper') | list }}{% set x = node.tags | sort %}{% endfor %}"
        * 2,
    ],
)
def test_time_is_bounded(source: str) -> None:
    began = time.monotonic()
    with pytest.raises(LimitExceededError):
        render(source)
    assert time.monotonic() - began < 5


BIG = "'a' * 90000"


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 10**10 }}",
        "{{ 10**10 * 'a' }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ (2 ** 4000) * (2 ** 4000) }}",
        "{{ [1] * 10**9 }}",
        "{{ [[['a' * 1000] * 100] * 100] * 50 }}",
        "{% set x = [[['a' * 1000] * 100] * 100] %}{{ '%s' % x }}",
        "{% set x = [[['a' * 1000] * 100] * 100] %}{{ x ~ '' }}",
        "{% set x = [[['a' * 1000] * 100] * 100] %}{{ x | tojson }}",
        "{% set x = [[['a' * 1000] * 100] * 100] %}{{ '{}'.format(x) }}",
        "{% set a = 'a' * 1000 %}" + "{% set a = a ~ a %}" * 40,
        "{% set a = 'a' * 1000 %}" + "{% set a = a + a %}" * 40,
        "{% set a = 'a' * 1000 %}" + "{% set a = '%s%s' % (a, a) %}" * 40,
        "{% set a = 'a' * 1000 %}" + "{% set a = [a, a] | join %}" * 40,
        "{% set l = [1] %}" + "{% set _ = l.extend(l) %}" * 40,
        "{% set x %}{% for i in range(99999) %}{{ " + BIG + " }}{% endfor %}{% endset %}",
        "{% set x %}{% for i in range(99999) %}" + "z" * 10000 + "{% endfor %}{% endset %}",
        "{% set l = [] %}{% for i in range(99999) %}{% set _ = l.append(" + BIG + ") %}{% endfor %}",
        "{% for i in range(99999) %}" + "z" * 100 + "{% endfor %}",
        "{% macro m0() %}"
        + "x" * 1000
        + "{% endmacro %}"
        + "".join(f"{{% macro m{n + 1}() %}}{{{{ m{n}() }}}}{{{{ m{n}() }}}}{{% endmacro %}}" for n in range(40))
        + "{% set q = m40() %}",
        "{{ (" + BIG + ") | replace('a', " + BIG + ") }}",
        "{{ (" + BIG + ").replace('a', " + BIG + ") }}",
        "{{ (" + BIG + ").join(['x'] * 1000) }}",
        "{{ (" + BIG + ") | list | join(" + BIG + ") }}",
        "{{ (['a' * 1000] * 90) | map('replace', 'a', " + BIG + ") | list }}",
        "{{ 'a'.ljust(10**9) }}",
        "{{ 'a'.zfill(10**9) }}",
        "{{ ('\\t' * 90000).expandtabs(90000) }}",
        "{{ 'a' | center(10**9) }}",
        "{{ ('a\\n' * 9000) | indent(90000) }}",
        "{{ node.tags | batch(10**9, 'x') | list }}",
        "{{ node.tags | slice(10**9) | list }}",
        "{{ node | tojson(indent=10**9) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (10**9, 1) }}",
        "{{ '%.*f' % (10**9, 1.0) }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ ('{:1000000000}' | attr('format'))(1) }}",
        "{{ '{:{}}'.format(1, 10**9) }}",
        "{{ '{x:1000000000}'.format_map({'x': 1}) }}",
        "{{ range(10**9) | list }}",
        "{{ 'a'.translate({97: " + BIG + "}) * 5 }}",
        "{{ lipsum(10**6) }}",
    ],
)
def test_size_is_bounded(source: str) -> None:
    began = time.monotonic()
    with pytest.raises((LimitExceededError, TypeError)) as caught:
        render(source)
    assert "template" in str(caught.value) or "lipsum" in source
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "source",
    [
        "{{ ",
        "{% for %}",
        "{{ 1 / 0 }}",
        "{{ nothing.at.all }}",
        "{{ 'x' + 1 }}",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "-" * 5000 + "1 }}",
        "{{ a" + ".b" * 50000 + " }}",
        "{% for a in node.tags %}" * 25 + "{% endfor %}" * 25,
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{{ 'a'.encode('no-such-thing') }}",
        "{{ [] | first.x }}",
        "{{ 'x' | nofilter }}",
        "x" * 300_000,
    ],
)
def test_faults_are_of_known_kinds(source: str) -> None:
    with pytest.raises(FAULTS):
        render(source)


def test_threads_do_not_share_a_budget() -> None:
    barrier = threading.Barrier(4)

    def one(number: int) -> str:
        barrier.wait(10)
        return render_template("{% for i in range(200) %}{{ x }}{% endfor %}", {"x": number}, LIMITS)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [str(number) * 200 for number in range(4)]
