"""Assets rendered for a node."""

from __future__ import annotations

import base64
import json

import pytest

from drydock.bootaction.packages import merge_packages, package_conflicts
from drydock.bootaction.render import TemplateLimits, render_assets
from drydock.bootaction.rendered import RenderedAsset
from drydock.errors import DesignNotFound, InvalidReference, ReferenceUnavailable, RenderError
from drydock.model.boot_asset import AssetType
from tests.unit.bootaction.sites import DESIGN_REF, KEY, REPORT_URL, ULID, file, one_site, rendered, renderer, text


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ node.hostname }}.{{ node.domain }}", "n1.example.invalid"),
        ("{{ node.tags }}", "['a', 'b']"),
        ("{% for k, v in node.labels.items() %}&{{ k }}={{ v }}{% endfor %}", "&z/k=1&y=x y"),
        (
            "{{ node.network.pxe.ip }} {{ node.network.pxe.cidr }} {{ node.network.pxe.dns_suffix }}",
            "10.0.0.11 10.0.0.0/24 example.invalid",
        ),
        ("{{ node.network.default.ip }}", "10.0.0.11"),
        ("{{ 'oam' in node.network }}", "False"),
        ("{{ node.interfaces.eth0 }}", "{'sriov': False}"),
        (
            "{% set i = node.interfaces.eth1 %}{{ i.vf_count }} {{ i.trustedmode }} {{ i.sriov }}",
            "8 True True",
        ),
        ("{{ action.report_url }}{{ action.action_id }}", f"{REPORT_URL}{ULID}"),
        ("{{ action.action_key }}", KEY.hex()),
        ("{{ action.design_ref | urlencode }}", "deckhand%2Bhttp%3A//deckhand.example/revisions/1"),
    ],
)
def test_the_documented_context(template: str, value: str) -> None:
    assert text(template) == value


PACKED = base64.b64encode(b"caf\xc3\xa9 {{ node.hostname }}").decode()


@pytest.mark.parametrize(
    ("data", "segments", "content"),
    [
        ("é", [], "é".encode()),
        ("é", ["utf8_decode"], "é".encode()),
        ("a", ["base64_encode"], b"YQ=="),
        ("a", ["utf8_decode", "utf8_encode", "base64_encode"], b"YQ=="),
        (PACKED, ["base64_decode"], "café {{ node.hostname }}".encode()),
        (PACKED[:8] + "\n  " + PACKED[8:] + "\n", ["base64_decode", "utf8_decode", "template"], "café n1".encode()),
        ("{{ 1 }}\n", ["utf8_decode", "template", "utf8_encode", "base64_encode"], b"MQ=="),
        ("{{ '{{ 2 }}' }}", ["utf8_decode", "template", "template"], b"2"),
        ("", ["utf8_decode", "template"], b""),
    ],
)
def test_pipelines(data: str, segments: list[str], content: bytes) -> None:
    (asset,) = rendered(file(data, *segments))
    assert asset.content == content


@pytest.mark.parametrize(
    ("data", "segments", "error"),
    [
        ("x", ["template"], "data_pipeline segment template: needs text, but gets bytes"),
        ("x", ["utf8_encode"], "data_pipeline segment utf8_encode: needs text, but gets bytes"),
        ("x", ["utf8_decode", "utf8_decode"], "data_pipeline segment utf8_decode: needs bytes, but gets text"),
        ("x", ["utf8_decode", "base64_encode"], "data_pipeline segment base64_encode: needs bytes, but gets text"),
        ("!!", ["base64_decode"], "data_pipeline segment base64_decode: not base64"),
        ("/w==", ["base64_decode", "utf8_decode"], "data_pipeline segment utf8_decode: not UTF-8 at byte 0"),
        ("{{", ["utf8_decode", "template"], "data_pipeline segment template: TemplateSyntaxError (line 1)"),
        ("{{ a.b }}", ["utf8_decode", "template"], "data_pipeline segment template: UndefinedError: 'a' is undefined"),
        ("{{ '\\ud800' }}", ["utf8_decode", "template"], "data_pipeline: the text cannot be encoded as UTF-8"),
        ("x", ["base64_encode"] * 100, "segment base64_encode: the result is larger than 1000 bytes"),
        ("{{ 'x' * 2000 }}", ["utf8_decode", "template"], "segment template: the template makes more than 1000 bytes"),
        ("{{ 'é' * 900 }}", ["utf8_decode", "template"], "segment template: the template makes more than 1000 bytes"),
    ],
)
def test_failures_name_action_asset_and_segment(data: str, segments: list[str], error: str) -> None:
    with pytest.raises(RenderError) as caught:
        rendered(file(data, *segments), limits=TemplateLimits(max_seconds=2, max_bytes=1000))
    assert caught.value.message.startswith("boot action act: asset /etc/x: ")
    assert error in caught.value.message


@pytest.mark.parametrize(
    "template",
    [
        "{{ {}[action.action_key].x }}",
        "{{ {}[action.action_key | upper].x }}",
        "{{ action.action_key.nope.x }}",
        "{{ node[action.action_key ~ 'x'].y }}",
        "{{ ''.encode(action.action_key) }}",
        "{% include action.action_key %}",
    ],
)
def test_no_failure_says_the_key(template: str) -> None:
    with pytest.raises(RenderError) as caught:
        rendered(file(template, "utf8_decode", "template"))
    assert KEY.hex() not in str(caught.value).lower()
    assert caught.value.__cause__ is None


def test_nor_does_a_failed_fetch() -> None:
    def refuse(url: str) -> bytes:
        raise InvalidReference(f"{url} is wrong")

    with pytest.raises(RenderError) as caught:
        rendered(file(location="http://x/{{ action.action_key }}", location_pipeline=["template"]), fetch=refuse)
    assert caught.value.message == "boot action act: asset /etc/x: location: http://x/<key> is wrong"


def test_repr_shows_no_content() -> None:
    (asset,) = rendered(file("{{ action.action_key }}", "utf8_decode", "template"))
    assert KEY.hex() not in repr(asset)


class TestLocations:
    def test_location_wins_over_data_and_runs_its_own_pipeline(self) -> None:
        body = file(
            "ignored",
            "utf8_decode",
            "template",
            location="http://x/{{ node.hostname }}?a b",
            location_pipeline=["template"],
        )
        (asset,) = rendered(body, fetch=lambda url: f"{{{{ node.domain }}}} {url}".encode())
        assert asset.content == b"example.invalid http://x/n1?a b"

    def test_without_pipelines_nothing_is_done(self) -> None:
        (asset,) = rendered(file(location="http://x/{{ y }}"), fetch=lambda url: url.encode() + b"\xff{{")
        assert asset.content == b"http://x/{{ y }}\xff{{"

    def test_one_url_is_fetched_once(self) -> None:
        asked: list[str] = []

        def fetch(url: str) -> bytes:
            asked.append(url)
            return b""

        rendered(*(file(location=url) for url in ("http://a", "http://b", "http://a")), fetch=fetch)
        assert asked == ["http://a", "http://b"]

    def test_what_may_work_later_stays_that(self) -> None:
        def fetch(url: str) -> bytes:
            raise ReferenceUnavailable(f"{url}: HTTP status 503")

        with pytest.raises(
            ReferenceUnavailable, match=r"boot action act: asset /etc/x: location: http://x: HTTP status 503"
        ):
            rendered(file(location="http://x"), fetch=fetch)

    @pytest.mark.parametrize("error", [InvalidReference, DesignNotFound])
    def test_what_never_will_is_a_render_error(self, error: type[Exception]) -> None:
        def fetch(url: str) -> bytes:
            raise error("no")

        with pytest.raises(RenderError, match="asset /etc/x: location: no"):
            rendered(file(location="http://x"), fetch=fetch)


class TestPackages:
    def test_lists_are_merged_and_the_later_wins(self) -> None:
        assets = rendered(
            {"type": "pkg_list", "data": {"a": "1", "b": None, "c": ""}},
            file("x"),
            {"type": "pkg_list", "data": {"b": "2.0-1"}},
            {"type": "pkg_list", "location": "http://x/{{ node.hostname }}", "location_pipeline": ["template"]},
            fetch=lambda url: json.dumps({"a": None, "from": url}).encode(),
        )
        assert dict(merge_packages(assets)) == {"a": None, "b": "2.0-1", "c": None, "from": "http://x/n1"}

    def test_none(self) -> None:
        assert dict(merge_packages(rendered(file("x")))) == {}

    @pytest.mark.parametrize(
        "body", [b"", b"[a]", b"a: 1", b"1: a", b"a: [", b"a: b\n---\nc: d", b"\xff", b"<html>", b"a: *x", b"[" * 9999]
    )
    def test_a_body_that_is_no_package_list(self, body: bytes) -> None:
        with pytest.raises(RenderError, match="boot action act: asset pkg_list: location: not a package list"):
            rendered({"type": "pkg_list", "location": "http://x"}, fetch=lambda _: body)


def test_order_modes_and_what_is_left_out() -> None:
    assets = rendered(
        file("1", permissions="755"),
        {"type": "file", "data": "nowhere"},
        {"type": "unit", "path": "/u.service", "data": "[Install]"},
        {"type": "unit", "path": "/v.service", "data": "2"},
    )
    assert [(asset.action, asset.type, asset.path, asset.mode, asset.content) for asset in assets] == [
        ("act", "file", "/etc/x", 0o755, b"1"),
        ("act", "unit", "/u.service", 0o600, b"[Install]"),
        ("act", "file", "/v.service", 0o600, b"2"),
    ]


def test_no_template_sees_what_another_did() -> None:
    change = file(
        "{% set _ = node.tags.append('evil') %}{% set _ = action.update({'action_id': 'x'}) %}",
        "utf8_decode",
        "template",
    )
    look = file("{{ node.tags }}{{ action.action_id }}", "utf8_decode", "template")
    assert rendered(change, look)[1].content == f"['a', 'b']{ULID}".encode()


def test_unknown_node() -> None:
    found = one_site(file("x"))
    with pytest.raises(RenderError, match="the design has no node n9"):
        render_assets(
            found,
            "n9",
            [],
            key=KEY,
            report_url=REPORT_URL,
            design_ref=DESIGN_REF,
            fetch=lambda _: b"",
            render=renderer(),
            max_bytes=1 << 20,
        )


def test_the_same_again_is_the_same() -> None:
    assets = file("{{ node.labels }}", "utf8_decode", "template"), {"type": "pkg_list", "data": {"b": "1", "a": None}}
    assert rendered(*assets) == rendered(*assets)


def test_packages_wanted_in_different_versions_name_both_actions() -> None:
    lists = [
        ("a", {"ntp": "1", "vim": None}),
        ("b", {"ntp": "2", "vim": None, "jq": "1"}),
        ("c", {"ntp": None, "jq": "1"}),
    ]
    assets = [
        RenderedAsset(name, AssetType.PKG_LIST, None, 0, json.dumps(packages).encode()) for name, packages in lists
    ]
    assert package_conflicts(assets) == (
        "package ntp: boot action a wants version 1, boot action b version 2; the latter is used",
        "package ntp: boot action b wants version 2, boot action c any version; the latter is used",
    )
    assert merge_packages(assets)["ntp"] is None
    assert package_conflicts(assets[:1]) == ()
