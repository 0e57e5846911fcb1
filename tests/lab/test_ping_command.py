import pytest

from pyovn.lab import ping_command


def test_options_stand_before_or_after_the_destination_joined_or_apart():
    wanted = ping_command.Ping("10.0.0.1", packets=2, interval_s=0.2, size=1000, quiet=True)
    assert ping_command.parse("-c2 -i 0.2 10.0.0.1 -s 1000 -q".split()) == wanted


@pytest.mark.parametrize("line", ["", "-c", "-c x 10.0.0.1", "-Z 10.0.0.1"])
def test_a_wrong_command_says_what_is_wrong(line):
    with pytest.raises(ping_command.Usage, match="ping: "):
        ping_command.parse(line.split())


def test_the_summary_counts_what_was_lost():
    tally = ping_command.Tally(ping_command.parse(["-c4", "10.0.0.1"]))
    tally.sent = 4
    lines = [tally.answered(1, 64, 0.5), tally.answered(2, 64, 1.5)]
    assert lines[0] == "64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.500 ms\n"
    assert "4 packets transmitted, 2 received, 50% packet loss, time 3001ms" in tally.summary(3001.2)
    assert "rtt min/avg/max/mdev = 0.500/1.000/1.500/0.500 ms" in tally.summary(3001.2)
