"""Templates: what they can say, and what they cannot get at."""

from __future__ import annotations

import pytest

from drydock.bootaction.template_limits import TemplateFaultError
from drydock.bootaction.template_pool import RenderedText
from tests.unit.bootaction.sites import renderer

VARIABLES = {"node": {"tags": ["a", "b"], "labels": {"k": "v"}, "name": "n1"}}


def render(source: str) -> str:
    return renderer()(source, VARIABLES).text


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
    except TemplateFaultError:
        return
    # What the sandbox hides is undefined, and undefined is empty.
    assert found == ""


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
    with pytest.raises(TemplateFaultError):
        render(source)


@pytest.mark.parametrize(
    ("source", "unknown"),
    [
        ("{{ nothing }} {{ node.rack }} {{ node['shelf'] }}", ("nothing", "rack", "shelf")),
        ("{% for x in nothing %}{% endfor %}{{ nothing | join }}{{ node.tags ~ gone }}", ("nothing", "gone")),
        ("{{ nothing | default('x') }}{{ nothing or 'x' }}{{ 'x' if nothing is defined }}{{ node.name }}", ()),
    ],
)
def test_unknown_names_that_are_written_are_reported(source: str, unknown: tuple[str, ...]) -> None:
    assert renderer()(source, VARIABLES).unknown == unknown


def test_the_next_template_sees_nothing_of_the_one_before() -> None:
    render = renderer()
    render("{% set node = {'name': 'evil'} %}{% set x = 'left' %}{{ gone }}", VARIABLES)
    assert render("{{ node.name }}{{ x }}", VARIABLES) == RenderedText("n1", ("x",))


def test_text_is_passed_as_it_is() -> None:
    assert render("\u00e9\U0001f600\ud800\t\x00") == "\u00e9\U0001f600\ud800\t\x00"
