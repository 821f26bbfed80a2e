"""Designs as readers see them: everything but what is secret."""

from __future__ import annotations

import pytest
import yaml

from drydock.design.masking import without_secrets
from drydock.design.secrecy import HIDDEN, is_secret_name, masked_text, without_password
from drydock.errors import DesignInvalid
from tests.factories.documents import codes, compiled, errors, node
from tests.unit.design import real_sites

TEXT = """\
%YAML 1.1
--- # credential: hunter1
data:
  oob: {account: root, credential: &pw hunter2, libvirt_uri: 'qemu+ssh://root:hunter3@h/', own: hunter4, type: ipmi}
  metadata: {boot_mac: "52:54:00:aa:bb:cc"}   # the password=hunter5
  platform:
    kernel_params: {console: ttyS0, rd.iscsi.password: hunter6, opts: "a=1,token=hunter7"}
metadata: {name: n1, again: *pw}
schema: drydock/BaremetalNode/v1
---
spec:
  assets:
  - {type: file, path: /x, data: hunter8, location: "https://u:hunter9@h/x?token=hunter10&more=1"}
  - type: unit
    data: |
      [Unit]
      # hunter11

    path: /etc/x.service
  - data: &text "hunter12"
  - data: *text
  - type: pkg_list
    data: {curl: 1.2-3}
kind: BootAction
apiVersion: drydock/v1
---
metadata: {storagePolicy: encrypted}
schema: deckhand/Certificate/v1
data: {a: [hunter13, {b: hunter14}]}
---
schema: deckhand/Passphrase/v1
data: hunter15
...
---
common: &common {BMCPassword: hunter16, apiKey: hunter17, user: me}
x:
  <<: *common
  admin_secret: >-
    hunter18
    hunter19
  tokens:
  - hunter20
  - {deep: [hunter21]}
"""


def test_nothing_secret_is_left_and_all_else_is() -> None:
    shown = without_secrets(TEXT.encode()).decode()
    assert "hunter" not in shown
    assert shown.count("\n") == TEXT.count("\n")
    first, second, *_, last = yaml.safe_load_all(shown)
    assert first["data"]["oob"]["account"] == "root"
    assert first["data"]["metadata"] == {"boot_mac": "52:54:00:aa:bb:cc"}
    assert first["data"]["platform"]["kernel_params"]["console"] == "ttyS0"
    assert second["spec"]["assets"][0]["location"] == f"https://{HIDDEN}@h/x?token={HIDDEN}&more=1"
    assert second["spec"]["assets"][-1]["data"] == {"curl": "1.2-3"}
    assert last["x"] == {
        "BMCPassword": HIDDEN,
        "apiKey": HIDDEN,
        "user": "me",
        "admin_secret": HIDDEN,
        "tokens": [HIDDEN, {"deep": [HIDDEN]}],
    }


def test_what_holds_no_secret_stays_as_it_was() -> None:
    text = "\ufeffa: 'x'  # why\nb: |\n  text\n\n---\n- [1, \"\\x41\"] \n".encode()
    assert without_secrets(text) == text.removeprefix(b"\xef\xbb\xbf")


@pytest.mark.parametrize("text", [b"a: [", b"a: \xff", b"[" * 100_000])
def test_what_cannot_be_read_is_not_shown(text: bytes) -> None:
    with pytest.raises(DesignInvalid, match="cannot be hidden"):
        without_secrets(text)


@real_sites.needs_real_sites
def test_designs_of_real_sites_stay_designs() -> None:
    for path in real_sites.DESIGNS.glob("*.yaml"):
        shown = without_secrets(path.read_bytes())
        assert b"FAKE-CREDENTIAL" not in shown
        before, after = (list(yaml.load_all(text, yaml.CSafeLoader)) for text in (path.read_bytes(), shown))
        assert [document["metadata"] for document in before if document] == [
            document["metadata"] for document in after if document
        ]


def test_a_masked_design_is_no_design() -> None:
    design = compiled(node(oob={"type": "ipmi", "credential": HIDDEN}))
    assert codes(design) == ["DD000"]
    assert "hides a password" in errors(design)[0]


@pytest.mark.parametrize(
    "name", ["password", "PASSWORD", "ipmi_pw_password", "adminPassword", "apiKey", "x-auth-token", "private_key"]
)
def test_secret_names(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["authorized_keys", "gpgkey", "boot_mac", "vcpu_pin_set", "tokenizer", "account"])
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)


def test_urls_and_words() -> None:
    assert without_password("https://user:pass@host/p@th") == f"https://{HIDDEN}@host/p@th"
    assert without_password("https://us@er:pa@ss@host/") == f"https://{HIDDEN}@host/"
    assert without_password("drydock://designs/0") == "drydock://designs/0"
    assert masked_text(" quiet root=/dev/sda luks.password=x") == f" quiet root=/dev/sda luks.password={HIDDEN}"
