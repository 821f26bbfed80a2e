"""Host profiles and nodes merged with what they inherit."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.design.inheritance import Lineage, inherit
from drydock.errors import DesignInvalid
from tests.factories.documents import ROOT, node, profile, site


def both(child: dict[str, Any], parent: dict[str, Any]) -> dict[str, Any]:
    """Merged, and neither of the two changed."""
    before = copy.deepcopy((child, parent))
    merged = inherit(child, parent)
    assert (child, parent) == before
    return dict(merged)


def test_scalars() -> None:
    parent = {"hardware_profile": "a", "primary_network": "x", "platform": {"image": "i", "kernel": "k"}}
    child = {"hardware_profile": "b", "primary_network": "!", "platform": {"kernel": "!"}}
    assert both(child, parent) == {"hardware_profile": "b", "platform": {"image": "i"}}


def test_dicts_in_the_parents_order_and_the_child_wins_in_place() -> None:
    parent = {"metadata": {"owner_data": {"a": "1", "b": "2", "c": "3"}}}
    child = {"metadata": {"owner_data": {"d": "4", "b": "B", "!a": "", "!x": ""}}}
    assert list(both(child, parent)["metadata"]["owner_data"].items()) == [("b", "B"), ("c", "3"), ("d", "4")]


def test_lists_have_the_childs_entries_first() -> None:
    merged = both({"metadata": {"tags": ["x", "!b", "a"]}}, {"metadata": {"tags": ["a", "b", "c"]}})
    assert merged["metadata"]["tags"] == ["x", "a", "c"]


def test_removal_of_an_out_of_band_type() -> None:
    parent = {"oob": {"type": "ipmi", "account": "root", "credential": "c"}}
    assert both({"oob": {"type": "!", "!account": ""}}, parent) == {"oob": {"credential": "c"}}


def test_not_inherited() -> None:
    parent = {"host_profile": "p", "metadata": {"boot_mac": "52:54:00:00:00:01", "rack": "r"}, "addressing": [{}]}
    assert both({}, parent) == {"metadata": {"rack": "r"}}


def test_interfaces_merge_field_by_field_in_the_parents_order() -> None:
    parent = {
        "interfaces": {
            "eth0": {"device_link": "pxe", "slaves": ["nic0"], "networks": ["pxe"]},
            "eth1": {"device_link": "data"},
            "eth2": {"device_link": "gone"},
            "eth3": {"device_link": "gone too"},
        }
    }
    child = {
        "interfaces": {
            "new": {"device_link": "x"},
            "eth3": None,
            "!eth2": {},
            "eth0": {"networks": ["oam", "!pxe"], "slaves": ["nic9"]},
        }
    }
    assert list(both(child, parent)["interfaces"].items()) == [
        ("eth0", {"device_link": "pxe", "slaves": ["nic9", "nic0"], "networks": ["oam"]}),
        ("eth1", {"device_link": "data"}),
        ("new", {"device_link": "x"}),
    ]


def test_an_interface_removed_and_defined_anew_inherits_nothing() -> None:
    parent = {"interfaces": {"a": {"device_link": "x", "networks": ["n"]}}}
    assert both({"interfaces": {"!a": {}, "a": {"device_link": "y"}}}, parent)["interfaces"] == {
        "a": {"device_link": "y"}
    }


def test_sriov_survives_a_redefinition() -> None:
    parent = {"interfaces": {"a": {"sriov": {"vf_count": 8, "trustedmode": True}}, "b": {}}}
    child = {"interfaces": {"a": {"networks": ["n"], "sriov": {"vf_count": 0}}, "b": {"sriov": {}}}}
    assert both(child, parent)["interfaces"] == {
        "a": {"sriov": {"vf_count": 0, "trustedmode": True}, "networks": ["n"]},
        "b": {"sriov": {}},
    }


def test_storage_loses_nothing() -> None:
    disks = {name: {"partitions": [{"name": "root", "size": "1g"}, {"name": "boot", "size": "2g"}]} for name in "abc"}
    parent = {"storage": {"physical_devices": disks}}
    child = {
        "storage": {
            "physical_devices": {
                "b": {
                    "labels": {"x": "y"},
                    "partitions": [{"name": "boot", "size": "3g", "bootable": True}, {"name": "v"}],
                },
                "d": {"volume_group": "data"},
            },
            "volume_groups": {"data": {"logical_volumes": [{"name": "lv"}]}},
        }
    }
    merged = both(child, parent)["storage"]
    assert list(merged["physical_devices"]) == ["a", "b", "c", "d"]
    assert merged["physical_devices"]["a"] == disks["a"]
    assert merged["physical_devices"]["b"]["partitions"] == [
        {"name": "root", "size": "1g"},
        {"name": "boot", "size": "3g", "bootable": True},
        {"name": "v"},
    ]
    assert merged["volume_groups"] == {"data": {"logical_volumes": [{"name": "lv"}]}}


def test_volume_groups_and_filesystems_merge() -> None:
    volumes = [{"name": "a", "size": "1g", "filesystem": {"mountpoint": "/a", "fstype": "xfs"}}, {"name": "b"}]
    parent = {"storage": {"volume_groups": {"vg": {"vg_uuid": "u", "logical_volumes": volumes}}}}
    changes = [{"name": "!b"}, {"name": "a", "filesystem": {"mountpoint": "/b"}}, {"name": "c"}]
    child = {"storage": {"volume_groups": {"vg": {"logical_volumes": changes}, "new": {}}}}
    assert both(child, parent)["storage"]["volume_groups"] == {
        "vg": {
            "vg_uuid": "u",
            "logical_volumes": [
                {"name": "a", "size": "1g", "filesystem": {"mountpoint": "/b", "fstype": "xfs"}},
                {"name": "c"},
            ],
        },
        "new": {},
    }


def test_without_a_parent_everything_is_literal() -> None:
    data = {"metadata": {"tags": ["!a"]}, "interfaces": {"!b": {}}}
    assert Lineage({}).effective(data) is data


def test_chains() -> None:
    profiles = {
        "child": {"host_profile": "middle", "metadata": {"tags": ["c"]}},
        "middle": {"host_profile": "root", "metadata": {"tags": ["m", "!r2"]}},
        "root": {"metadata": {"tags": ["r1", "r2"]}, "hardware_profile": "hw"},
    }
    assert Lineage(profiles).effective({"host_profile": "child", "metadata": {"rack": "x"}}) == {
        "host_profile": "child",
        "hardware_profile": "hw",
        "metadata": {"tags": ["c", "m", "r1"], "rack": "x"},
    }


def test_a_chain_may_be_longer_than_pythons_stack() -> None:
    profiles: dict[str, dict[str, Any]] = {f"p{n}": {"host_profile": f"p{n + 1}"} for n in range(5000)}
    profiles["p5000"] = {"hardware_profile": "deep"}
    assert Lineage(profiles).profile("p0") == {"host_profile": "p1", "hardware_profile": "deep"}


@pytest.mark.parametrize(
    ("profiles", "text"),
    [
        ({"a": {"host_profile": "a"}}, "circle: a < a"),
        ({"a": {"host_profile": "b"}, "b": {"host_profile": "c"}, "c": {"host_profile": "b"}}, "circle: a < b < c < b"),
        ({}, "HostProfile a does not exist"),
        ({"a": {"host_profile": "b"}}, "HostProfile b, which HostProfile a inherits from, does not exist"),
    ],
)
def test_circles_and_gaps(profiles: dict[str, Any], text: str) -> None:
    with pytest.raises(DesignInvalid, match=text):
        Lineage(profiles).effective({"host_profile": "a"})


_names = st.sampled_from(["a", "b", "c", "!a", "!b"])
_data = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries(
            {}, optional={"tags": st.lists(_names), "owner_data": st.dictionaries(_names, _names)}
        ),
        "interfaces": st.dictionaries(
            _names,
            st.none() | st.fixed_dictionaries({}, optional={"networks": st.lists(_names), "device_link": _names}),
        ),
    },
)


@settings(deadline=None)
@given(_data, _data)
def test_inheriting_changes_nothing_given(child: dict[str, Any], parent: dict[str, Any]) -> None:
    assert set(both(child, parent)) <= {*child, *parent}


def test_null_and_marks_take_inherited_disks_and_interfaces_away() -> None:
    """From the text to the node: the schemas let both through."""
    disks = {name: {"volume_group": "vg"} for name in ("sdb", "sdc", "sdd")}
    groups: dict[str, dict[str, str]] = {"vg": {}, "old": {}, "older": {}}
    parent = profile(
        interfaces={name: {"device_link": "pxe", "networks": ["pxe"]} for name in ("a", "b", "c")},
        storage={"physical_devices": {**ROOT["physical_devices"], **disks}, "volume_groups": groups},
    )
    found = site(
        parent,
        node(
            host_profile="base",
            interfaces={"a": None, "!b": {}},
            storage={
                "physical_devices": {"sdb": None, "!sdc": {}},
                "volume_groups": {"old": None, "!older": None},
            },
        ),
    ).nodes["n1"]
    assert list(found.interfaces) == ["c"]
    assert list(found.physical_devices) == ["sda", "sdd"]
    assert list(found.volume_groups) == ["vg"]
