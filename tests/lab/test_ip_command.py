import pytest

from pyovn.lab import ip_command as ip


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("netns add vm1", ip.AddNamespace("vm1")),
        ("netns", ip.ListNamespaces()),
        ("link set vm1 netns vm1", ip.SetLink("vm1", namespace="vm1")),
        ("link set vm1 address 40:44:00:00:00:01", ip.SetLink("vm1", address="40:44:00:00:00:01")),
        ("link set dev vm1 mtu 1400 up", ip.SetLink("vm1", mtu=1400, up=True)),
        ("addr add 192.168.0.11/24 dev vm1", ip.ChangeAddress("vm1", "192.168.0.11/24", True)),
        ("-6 a add fd00::1/64 dev vm1", ip.ChangeAddress("vm1", "fd00::1/64", True)),
        ("route add default via 192.168.0.1", ip.AddRoute("default", "192.168.0.1")),
        ("netns exec vm1 ping -c2 10.0.0.1", ip.Execute("vm1", ("ping", "-c2", "10.0.0.1"))),
        ("addr", ip.Show("address")),
    ],
)
def test_the_lines_that_guides_print_are_understood(line, command):
    assert ip.parse(line.split()) == command


@pytest.mark.parametrize(
    "line", ["", "netns exec vm1", "tunnel add x", "link set vm1", "link set vm1 colour red", "route add default"]
)
def test_what_a_guest_cannot_do_is_refused_by_name(line):
    with pytest.raises(ip.NotUnderstood, match=line or "ip"):
        ip.parse(line.split())
