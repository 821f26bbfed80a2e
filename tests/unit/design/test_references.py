"""References: what they may name, and what becomes of a peer that misbehaves."""

from __future__ import annotations

import ipaddress
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dev.peers.certificates import Authority
from drydock.conf.design import METADATA as METADATA_NETWORKS
from drydock.design.loader import DesignLoader
from drydock.errors import ConfigurationError, DesignNotFound, InvalidReference, ReferenceBusy, ReferenceUnavailable
from drydock.references.host_list import AddressList
from drydock.references.reference_cache import ReferenceCache
from drydock.references.references import References, reference_retries
from tests.factories import settings
from tests.http_peer import Answer, closed_port, dripping, serving

DIGEST = "ab" * 32


def references(**changes: Any) -> References:
    """Of every kind of URI, from this machine."""
    kinds = {"allowed_schemes": ["file", "http", "https", "drydock"], "allowed_hosts": ["127.0.0.1"]}
    return settings.references(**{**kinds, "read_timeout": 5.0, **changes})


class TestSchemes:
    @pytest.mark.parametrize("uri", ["ftp://x/y", "deckhand+ftp://x/y", "/etc/passwd", "", "design", "://", "FTP:x"])
    def test_unknown_ones_are_refused_and_the_enabled_ones_named(self, uri: str) -> None:
        with pytest.raises(InvalidReference, match="enabled are: file, http, https, drydock"):
            references().fetch(uri)

    def test_only_enabled_ones_work(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"x")
        with pytest.raises(InvalidReference, match="'file' is not enabled; enabled are: http"):
            references(allowed_schemes=["http"], file_roots=[str(tmp_path)]).fetch(f"file://{tmp_path}/x")

    def test_a_scheme_nobody_handles_stops_the_start(self) -> None:
        with pytest.raises(ConfigurationError, match="unknown reference schemes gopher"):
            references(allowed_schemes=["http", "gopher"])

    @pytest.mark.parametrize(
        "uri", ["http://[::1/", "http://127.0.0.1:x/", "http://127.0.0.1:99999/", "http:///x", "http:x"]
    )
    def test_nonsense(self, uri: str) -> None:
        with pytest.raises(InvalidReference):
            references().fetch(uri)

    @pytest.mark.parametrize(
        "uri", ["http://127.0.0.1/\r\nX-Evil: 1", "file:///a\0b", "drydock://designs/\n", "x" * 9000]
    )
    def test_control_characters_and_length(self, uri: str) -> None:
        with pytest.raises(InvalidReference):
            references(file_roots=["/"]).fetch(uri)


class TestSnapshots:
    def test_by_digest(self) -> None:
        found = references(read_snapshot=lambda digest: digest.encode())
        assert found.fetch(f"drydock://designs/{DIGEST.upper()}") == DIGEST.encode()

    def test_absence_is_the_stores_error(self) -> None:
        with pytest.raises(DesignNotFound):
            references().fetch(f"drydock://designs/{DIGEST}")

    @pytest.mark.parametrize(
        "uri",
        ["drydock://designs/xyz", f"drydock://other/{DIGEST}", f"drydock:{DIGEST}", f"drydock://designs/{DIGEST}/x"],
    )
    def test_others(self, uri: str) -> None:
        with pytest.raises(InvalidReference, match="64 hexadecimal digits"):
            references(read_snapshot=lambda _: b"").fetch(uri)


class TestFiles:
    def test_below_a_root(self, tmp_path: Path) -> None:
        (tmp_path / "a b").mkdir()
        (tmp_path / "a b" / "x").write_bytes(b"text")
        found = references(file_roots=[str(tmp_path)])
        for uri in (f"file://{tmp_path}/a%20b/x", f"file://host{tmp_path}/a b/x", f"file:{tmp_path}/a b/../a b/x"):
            assert found.fetch(uri) == b"text"

    def test_links_are_followed_but_not_out(self, tmp_path: Path) -> None:
        inside, outside = tmp_path / "in", tmp_path / "out"
        inside.mkdir()
        outside.mkdir()
        (outside / "secret").write_bytes(b"secret")
        (inside / "plain").write_bytes(b"plain")
        (inside / "good").symlink_to(inside / "plain")
        (inside / "evil").symlink_to(outside / "secret")
        (inside / "door").symlink_to(outside)
        (inside / "loop").symlink_to(inside / "loop")
        found = references(file_roots=[str(inside)])
        assert found.fetch(f"file://{inside}/good") == b"plain"
        for path in ("evil", "door/secret", "../out/secret", "%2e%2e/out/secret", "loop", "missing", "", "plain/x"):
            with pytest.raises(InvalidReference):
                found.fetch(f"file://{inside}/{path}")

    def test_a_root_that_is_a_link_itself(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "x").write_bytes(b"x")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        assert references(file_roots=[str(tmp_path / "link")]).fetch(f"file://{tmp_path}/link/x") == b"x"

    def test_a_name_that_only_starts_like_a_root(self, tmp_path: Path) -> None:
        (tmp_path / "root").mkdir()
        (tmp_path / "root2").write_bytes(b"x")
        with pytest.raises(InvalidReference, match="not below one of the configured file roots"):
            references(file_roots=[str(tmp_path / "root")]).fetch(f"file://{tmp_path}/root2")

    def test_no_roots_no_files(self) -> None:
        with pytest.raises(InvalidReference, match="not below one of the configured file roots"):
            references(file_roots=[]).fetch("file:///etc/hostname")

    def test_only_regular_files_of_a_sane_size(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        (tmp_path / "large").write_bytes(b"x" * 1001)
        (tmp_path / "exact").write_bytes(b"x" * 1000)
        found = references(file_roots=[str(tmp_path)])
        assert len(found.fetch(f"file://{tmp_path}/exact")) == 1000
        for name, text in (("fifo", "not a regular file"), ("large", "larger than 1000 bytes"), (".", "not a regular")):
            with pytest.raises(InvalidReference, match=text):
                found.fetch(f"file://{tmp_path}/{name}")


LOOPBACK = ["*", "!127.0.0.0/8"]
METADATA = ["*", *(f"!{network}" for network in METADATA_NETWORKS)]


class TestWhatAnAddressLeadsTo:
    @pytest.mark.parametrize(
        "host",
        [
            "0.0.0.0",
            "0",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.0.2",
            "localhost",
            "localhost.",
            "[::]",
            "[::1]",
            "[::ffff:0.0.0.0]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[2002:7f00:1::]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b:1::7f00:1]",
            "[64:ff9b::]",
            "[2001:0:7f00:1::]",
            "[2001:0:808:808:0:0:80ff:fffe]",
            "[fe80::5efe:7f00:1]",
            "[::1%25lo]",
        ],
    )
    def test_who_forbids_loopback_forbids_all_that_leads_there(self, host: str) -> None:
        found = references(allowed_hosts=["*"], allowed_addresses=LOOPBACK)
        with pytest.raises((InvalidReference, ReferenceUnavailable), match=r"list of allowed addresses|be resolved"):
            found.fetch(f"http://{host}:9/")

    @pytest.mark.parametrize(
        "address",
        [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "2002:a9fe:a9fe::1",
            "64:ff9b::a9fe:a9fe",
            "fe80::a9fe:a9fe",
            "fd00:ec2::254",
            "fd00:ec2:0:0::23",
            "fd20:ce::254",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
        ],
    )
    def test_where_clouds_keep_metadata_is_forbidden_by_default(self, address: str) -> None:
        host = f"[{address}]" if ":" in address else address
        found = references(allowed_hosts=["*"], allowed_addresses=METADATA)
        with pytest.raises(InvalidReference, match="no address that is in the list of allowed addresses"):
            found.fetch(f"http://{host}/latest/")

    @pytest.mark.parametrize("address", ["10.0.0.1", "2002:a00:1::1", "64:ff9b::808:808", "2001:db8::1", "fd00::1"])
    def test_other_addresses_are_allowed(self, address: str) -> None:
        assert AddressList([*METADATA, "!127.0.0.0/8"]).allows(ipaddress.ip_address(address))

    def test_what_a_peer_redirects_to_is_not_told(self) -> None:
        for location in ("http://internal-name.invalid/secret-path", "gopher://secret", "http://192.0.2.1/secret"):
            moved = Answer(302, headers={"Location": location})
            with (
                serving(partial(lambda answer, _: answer, moved)) as peer,
                pytest.raises((InvalidReference, ReferenceUnavailable)) as caught,
            ):
                references(allowed_hosts=["127.0.0.1", "*.invalid"]).fetch(peer.url("/start"))
            assert "/start" in str(caught.value)
            assert "secret" not in str(caught.value)
            assert "internal" not in str(caught.value)


class TestHttp:
    def test_a_body(self) -> None:
        with serving(lambda request: Answer(body=request.path.encode())) as peer:
            assert references().fetch(peer.url("/a?b=c#d")) == b"/a?b=c"

    def test_nothing_is_remembered(self) -> None:
        bodies = iter([Answer(503), Answer(body=b"1"), Answer(body=b"2")])
        with serving(lambda _: next(bodies)) as peer:
            found = references()
            with pytest.raises(ReferenceUnavailable):
                found.fetch(peer.url("/"))
            assert [found.fetch(peer.url("/")), found.fetch(peer.url("/"))] == [b"1", b"2"]

    @pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
    def test_what_may_pass(self, status: int) -> None:
        with (
            serving(lambda _: Answer(status, b"x")) as peer,
            pytest.raises(ReferenceUnavailable, match=f"HTTP status {status}"),
        ):
            references().fetch(peer.url("/"))

    @pytest.mark.parametrize(("after", "seconds"), [({}, None), ({"Retry-After": "40"}, 40.0)])
    def test_a_busy_server_is_no_failure(self, after: dict[str, str], seconds: float | None) -> None:
        with serving(lambda _: Answer(429, headers=after)) as peer, pytest.raises(ReferenceBusy) as raised:
            references().fetch(peer.url("/"))
        assert raised.value.look_in == seconds

    @pytest.mark.parametrize(
        ("status", "after"), [(429, {}), (429, {"Retry-After": "40"}), (503, {"Retry-After": "40"})]
    )
    def test_a_busy_server_is_not_asked_again_at_once(self, status: int, after: dict[str, str]) -> None:
        pauses: list[float] = []
        with serving(lambda _: Answer(status, headers=after)) as peer:
            retries = reference_retries(times=2, pause=0.5, wait=pauses.append)
            with pytest.raises(ReferenceBusy):
                references(retries=retries).fetch(peer.url("/"))
            assert (pauses, len(peer.requests)) == ([], 1)

    def test_a_certificate_that_is_not_accepted_is_final(self, tmp_path: Path) -> None:
        with (
            serving(lambda _: Answer(), certificate=Authority(tmp_path).issue("server")) as peer,
            pytest.raises(InvalidReference, match=r"authority that is not known here: .*\[references\] ca_file"),
        ):
            references(retries=reference_retries(times=2, pause=60)).fetch(peer.url("/"))

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 204, 206])
    def test_what_will_not(self, status: int) -> None:
        with (
            serving(lambda _: Answer(status)) as peer,
            pytest.raises(InvalidReference, match=f"/design: HTTP status {status}"),
        ):
            references().fetch(peer.url("/design"))

    def test_nobody_listens(self) -> None:
        with pytest.raises(ReferenceUnavailable, match="connection failed"):
            references().fetch(f"http://127.0.0.1:{closed_port()}/")

    def test_credentials_are_sent_and_never_shown(self) -> None:
        statuses = iter([200, 401])
        with serving(lambda _: Answer(next(statuses), b"x")) as peer:
            url = peer.url("/d?token=t0ken", credentials="us%40er:p%3Aw%C3%BC@")
            assert references().fetch(url) == b"x"
            assert peer.requests[0].headers["Authorization"] == "Basic dXNAZXI6cDp3w7w="
            with pytest.raises(InvalidReference) as caught:
                references().fetch(url)
        assert not any(secret in str(caught.value) for secret in ("us%40er", "us@er", "p%3A", "p:w", "t0ken"))

    def test_credentials_stay_out_of_messages_about_the_connection(self) -> None:
        with pytest.raises(ReferenceUnavailable) as caught:
            references().fetch(f"http://user:hunter2@127.0.0.1:{closed_port()}/?k=t0ken")
        assert "hunter2" not in repr(caught.value) + repr(caught.value.__cause__)
        assert "t0ken" not in repr(caught.value)

    def test_no_credentials_from_the_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        with serving(lambda _: Answer(body=b"x")) as peer:
            references().fetch(peer.url("/"))
        assert "Authorization" not in peer.requests[0].headers

    @pytest.mark.parametrize("headers", [{}, {"Content-Length": "5"}])
    def test_too_large(self, headers: dict[str, str]) -> None:
        del headers
        with (
            serving(lambda _: Answer(body=b"x" * 1001)) as peer,
            pytest.raises(InvalidReference, match="larger than 1000"),
        ):
            references().fetch(peer.url("/"))
        with serving(lambda _: Answer(body=b"x" * 1000)) as peer:
            assert len(references().fetch(peer.url("/"))) == 1000

    def test_a_body_cut_short(self) -> None:
        with (
            serving(lambda _: Answer(body=b"x", headers={"Content-Length": "500", "Connection": "close"})) as peer,
            pytest.raises(ReferenceUnavailable, match=r"connection broke|no answer in time"),
        ):
            references(read_timeout=0.3).fetch(peer.url("/"))


class TestTime:
    @pytest.mark.parametrize(
        "first",
        [
            b"HTTP/1.1 200 OK\r\nX-Slow: ",
            b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200\r\n",
        ],
        ids=["in headers", "in a body", "in a body without end", "in a chunk"],
    )
    def test_a_drip_is_cut(self, first: bytes) -> None:
        with dripping(first) as peer:
            began = time.monotonic()
            with pytest.raises(ReferenceUnavailable, match=r"no complete answer in 0\.5 s"):
                references(connect_timeout=0.1, read_timeout=0.1).fetch(peer.url("/"))
            assert time.monotonic() - began < 5

    def test_silence(self) -> None:
        with dripping(b"") as peer, pytest.raises(ReferenceUnavailable):
            references(connect_timeout=0.05, read_timeout=0.01).fetch(peer.url("/"))

    @pytest.mark.parametrize("first", [b"", b"HTTP/1.0 200 OK\r\n\r\n"])
    def test_within_what_is_left_it_is_tried_once(self, first: bytes) -> None:
        pauses: list[float] = []
        patient = references(
            connect_timeout=30, read_timeout=30, retries=reference_retries(times=2, pause=1, wait=pauses.append)
        )
        with dripping(first) as peer:
            began = time.monotonic()
            with pytest.raises(ReferenceUnavailable, match="answer in"):
                patient.fetch_within(peer.url("/"), 0.5)
            assert time.monotonic() - began < 15
        assert pauses == []


class TestHosts:
    @pytest.mark.parametrize(
        "allowed", [["127.0.0.1"], ["127.0.0.0/8"], ["*"], ["::1", "127.0.0.1"], ["example.org", "127.0.0.0/30"]]
    )
    def test_allowed(self, allowed: list[str]) -> None:
        with serving(lambda _: Answer(body=b"x")) as peer:
            assert references(allowed_hosts=allowed).fetch(peer.url("/")) == b"x"

    @pytest.mark.parametrize("allowed", [[], ["example.org"], ["10.0.0.0/8"], ["*.0.0.1.example.org"], ["127.0.0.2"]])
    def test_refused(self, allowed: list[str]) -> None:
        with serving(lambda _: Answer(body=b"x")) as peer:
            with pytest.raises(InvalidReference, match="not in the list of allowed hosts"):
                references(allowed_hosts=allowed).fetch(peer.url("/"))
            assert peer.requests == []

    def test_names(self) -> None:
        with serving(lambda _: Answer(body=b"x")) as peer:
            for allowed in (["LocalHost"], ["127.0.0.0/8", "::1"], ["localhost."]):
                assert references(allowed_hosts=allowed).fetch(peer.url("/", "localhost")) == b"x"
            with pytest.raises(InvalidReference):
                references(allowed_hosts=["*.localhost"]).fetch(peer.url("/", "localhost"))

    def test_a_cidr_that_is_none(self) -> None:
        with pytest.raises(ConfigurationError, match="neither a name nor a CIDR"):
            references(allowed_hosts=["10.0.0.0/99"])


class TestRedirects:
    def test_followed(self) -> None:
        answers = {"/a": moved("/b"), "/b": moved("?x=1"), "/b?x=1": Answer(body=b"end")}
        with serving(lambda request: answers[request.path]) as peer:
            assert references().fetch(peer.url("/a", credentials="u:p@")) == b"end"
            assert {request.headers["Authorization"] for request in peer.requests} == {"Basic dTpw"}

    def test_checked_like_the_reference_itself(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"x")
        for target in (
            "http://127.0.0.9:1/",
            f"file://{tmp_path}/x",
            "https://127.0.0.1:1/",
            f"drydock://designs/{DIGEST}",
        ):
            with (
                serving(partial(lambda target, _: moved(target), target)) as peer,
                pytest.raises(InvalidReference, match=r"enabled|allowed"),
            ):
                references(allowed_schemes=["http", "file", "drydock"], file_roots=[str(tmp_path)]).fetch(peer.url("/"))

    def test_credentials_do_not_follow_to_another_origin(self) -> None:
        with serving(lambda _: Answer(body=b"x")) as other, serving(lambda _: moved(other.url("/"))) as peer:
            assert references().fetch(peer.url("/", credentials="u:p@")) == b"x"
        assert "Authorization" in peer.requests[0].headers
        assert "Authorization" not in other.requests[0].headers

    def test_round_and_round(self) -> None:
        with serving(lambda _: moved("/")) as peer, pytest.raises(InvalidReference, match="more than 5 redirects"):
            references().fetch(peer.url("/"))

    def test_to_nowhere(self) -> None:
        with serving(lambda _: moved("http://[")) as peer, pytest.raises(InvalidReference, match="not a URI"):
            references().fetch(peer.url("/"))


def moved(location: str) -> Answer:
    return Answer(302, headers={"Location": location})


class TestAddresses:
    @pytest.mark.parametrize("allowed", [["*"], ["127.0.0.0/8"], ["*", "!10.0.0.0/8"], ["::/0", "127.0.0.1"]])
    def test_allowed(self, allowed: list[str]) -> None:
        with serving(lambda _: Answer(body=b"x")) as peer:
            assert references(allowed_hosts=["*"], allowed_addresses=allowed).fetch(peer.url("/")) == b"x"

    @pytest.mark.parametrize("allowed", [[], ["10.0.0.0/8"], ["*", "!127.0.0.0/8"], ["*", "!127.0.0.1"]])
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"])
    def test_refused_however_the_address_is_written(self, allowed: list[str], host: str) -> None:
        forbidden = [*allowed, "!::1"]
        with serving(lambda _: Answer(body=b"x")) as peer:
            with pytest.raises(InvalidReference, match="no address that is in the list of allowed addresses"):
                references(allowed_hosts=["*"], allowed_addresses=forbidden).fetch(peer.url("/", host))
            assert peer.requests == []

    def test_refused_after_a_redirect(self) -> None:
        with (
            serving(lambda _: moved("http://127.0.0.9:1/")) as peer,
            pytest.raises(InvalidReference, match="no address"),
        ):
            references(allowed_hosts=["*"], allowed_addresses=["127.0.0.1"]).fetch(peer.url("/"))

    def test_a_name_that_changes_its_address_in_between(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The boundary replaced is the system's resolver: first the answer that passes, then the one that does not."""
        answers = iter(["127.0.0.1"])

        def getaddrinfo(host: str, port: int | None, *arguments: Any, **options: Any) -> Any:
            address = next(answers, "127.0.0.66") if host == "rebind.example" else host
            return [(2, 1, 6, "", (address, port or 0))]

        monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
        with serving(lambda _: Answer(body=b"x")) as peer:
            found = references(allowed_hosts=["*"], allowed_addresses=["127.0.0.1"])
            assert found.fetch(peer.url("/", "rebind.example")) == b"x"
            assert peer.requests[0].headers["Host"] == f"rebind.example:{peer.port}"
            with pytest.raises(InvalidReference, match="no address"):
                found.fetch(peer.url("/", "rebind.example"))

    def test_nonsense_stops_the_start(self) -> None:
        with pytest.raises(ConfigurationError, match="neither an address nor a CIDR"):
            references(allowed_addresses=["example.org"])


class TestRetries:
    def test_what_may_pass_is_asked_again_after_growing_pauses(self) -> None:
        pauses: list[float] = []
        answers = iter([Answer(503), Answer(408), Answer(body=b"x")])
        with serving(lambda _: next(answers)) as peer:
            retries = reference_retries(times=3, pause=0.5, wait=pauses.append)
            assert references(retries=retries).fetch(peer.url("/")) == b"x"
        assert pauses == [0.5, 1.0]

    def test_not_for_ever(self) -> None:
        pauses: list[float] = []
        with serving(lambda _: Answer(503)) as peer:
            with pytest.raises(ReferenceUnavailable, match="HTTP status 503"):
                references(retries=reference_retries(times=2, pause=1, wait=pauses.append)).fetch(peer.url("/"))
            assert (len(peer.requests), pauses) == (3, [1, 2])

    def test_what_will_not_pass_is_asked_once(self) -> None:
        with serving(lambda _: Answer(404)) as peer:
            with pytest.raises(InvalidReference):
                references(retries=reference_retries(times=2, pause=1, wait=lambda _: None)).fetch(peer.url("/"))
            assert len(peer.requests) == 1


class TestCache:
    def test_for_a_while_and_by_the_whole_url(self) -> None:
        now = [0.0]
        cache = ReferenceCache(seconds=10, max_bytes=1000, clock=lambda: now[0])
        with serving(lambda request: Answer(body=request.path.encode())) as peer:
            found = references(cache=cache)
            for _ in range(3):
                assert found.fetch(peer.url("/a?x=1")) == b"/a?x=1"
            assert found.fetch(peer.url("/a?x=2")) == b"/a?x=2"
            assert found.fetch(peer.url("/a?x=1", credentials="u:p@")) == b"/a?x=1"
            assert len(peer.requests) == 3
            now[0] = 10.0
            assert found.fetch(peer.url("/a?x=1")) == b"/a?x=1"
            assert len(peer.requests) == 4

    def test_no_failure_is_kept(self) -> None:
        answers = iter([Answer(503), Answer(404), Answer(body=b"x")])
        with serving(lambda _: next(answers)) as peer:
            found = references(cache=ReferenceCache(seconds=1000, max_bytes=1000))
            for _ in range(2):
                with pytest.raises((InvalidReference, ReferenceUnavailable)):
                    found.fetch(peer.url("/"))
            assert [found.fetch(peer.url("/")), found.fetch(peer.url("/"))] == [b"x", b"x"]

    def test_the_oldest_goes_when_it_is_full(self) -> None:
        asked: list[str] = []

        def ask(url: str, size: int) -> None:
            def fetch() -> bytes:
                asked.append(url)
                return b"x" * size

            cache.fetch(url, fetch)

        cache = ReferenceCache(seconds=1000, max_bytes=100)
        for url, size in (("a", 60), ("b", 40), ("c", 50), ("b", 40), ("d", 101), ("d", 101), ("a", 60)):
            ask(url, size)
        assert asked == ["a", "b", "c", "d", "d", "a"]

    def test_files_are_read_each_time(self, tmp_path: Path) -> None:
        found = references(file_roots=[str(tmp_path)], cache=ReferenceCache(seconds=1000, max_bytes=1000))
        for text in (b"1", b"2"):
            (tmp_path / "x").write_bytes(text)
            assert found.fetch(f"file://{tmp_path}/x") == text

    def test_who_asks_for_a_design_gets_the_present_one(self) -> None:
        answers = iter([Answer(body=b"wrong"), Answer(body=b"mended")])
        with serving(lambda _: next(answers)) as peer:
            found = references(cache=ReferenceCache(seconds=1000, max_bytes=1000))
            assert found.fetch(peer.url("/")) == b"wrong"
            assert DesignLoader(found, cache_size=1).fetch(peer.url("/")) == b"mended"
