import pytest

from pyovn.controller.settings import chassis_keys, settings


def test_keys_with_the_name_of_the_chassis_win():
    keys = {"ovn-encap-ip": "1.1.1.1", "ovn-encap-ip-hv1": "2.2.2.2", "ovn-encap-ip-hv2": "3.3.3.3"}
    assert settings(keys, "hv1", "h").encap_ips == ("2.2.2.2",)
    assert chassis_keys(keys, "hv9")["ovn-encap-ip"] == "1.1.1.1"


def test_an_empty_configuration_has_defaults_and_is_not_complete():
    found = settings({}, "hv1", "h")
    assert (found.bridge, found.hostname, found.encap_csum, found.cleanup_on_exit) == ("br-int", "h", True, True)
    assert (found.monitor_all, found.interconnect, found.zones) == (False, False, range(1, 65536))
    assert not found.complete


def test_the_default_encapsulation_comes_first():
    keys = {"ovn-encap-type": "geneve,vxlan", "ovn-encap-ip": "1.1.1.1,2.2.2.2", "ovn-encap-ip-default": "2.2.2.2"}
    found = settings(keys, "hv1", "h")
    assert found.encap_ips == ("2.2.2.2", "1.1.1.1")
    assert found.complete


def test_mappings_are_read():
    keys = {"ovn-bridge-mappings": "net1:br-a, net2:br-b", "ovn-chassis-mac-mappings": "net1:aa:bb:cc:dd:ee:ff"}
    found = settings(keys, "hv1", "h")
    assert found.bridge_mappings == {"net1": "br-a", "net2": "br-b"}
    assert found.chassis_macs == {"net1": 0xAABBCCDDEEFF}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ovn-encap-type", "stt"),
        ("ovn-encap-ip-default", "9.9.9.9"),
        ("ovn-bridge-mappings", "net1"),
        ("ovn-chassis-mac-mappings", "net1:zz"),
        ("ct-zone-range", "9-1"),
    ],
)
def test_nonsense_is_told_by_the_name_of_its_key(key, value):
    sound = {"ovn-encap-type": "geneve", "ovn-encap-ip": "1.1.1.1"}
    (problem,) = settings({**sound, key: value}, "hv1", "h").problems
    assert problem.startswith(key)


def test_zones_may_be_kept_to_a_range():
    assert settings({"ct-zone-range": "10-20"}, "hv1", "h").zones == range(10, 21)


def test_a_chassis_without_encapsulation_is_told_what_it_lacks():
    found = settings({}, "hv1", "h")
    assert not found.complete
    assert [text.split()[0] for text in found.problems] == ["ovn-encap-type", "ovn-encap-ip"]
