"""A gateway router on real Open vSwitch gets an IPv6 prefix from a server outside; guests make addresses of it."""

import pytest

from tests.support.delegation import PREFIX, SERVER, reply
from tests.support.netns import Rig, until
from tests.support.sockets import Ear
from tests.system.test_services import roles, settle, start

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

GUEST = "40:44:00:00:00:02"
ADVERTISING = {"address_mode": "slaac", "send_periodic": "true", "min_interval": "3", "max_interval": "4"}


@pytest.mark.parametrize(("northd", "controller"), roles("any"))
def test_guests_have_addresses_of_a_prefix_from_outside(northd, controller):
    with Rig(1, northd=northd) as rig:
        rig.nbctl("lr-add", "r", "--", "set", "Logical_Router", "r", "options:chassis=hv1")
        for number, switch in enumerate(("out", "in"), 1):
            own = (f"00:00:00:00:ff:0{number}", f"10.0.{number}.1/24")
            rig.nbctl("ls-add", switch, "--", "lrp-add", "r", f"r-{switch}", *own)
            link = ("type=router", "addresses=router", f"options:router-port=r-{switch}")
            rig.nbctl("lsp-add", switch, f"{switch}-r", "--", "set", "Logical_Switch_Port", f"{switch}-r", *link)
        rig.nbctl("lsp-add", "out", "server", "--", "lsp-set-addresses", "server", "unknown")
        rig.nbctl("lsp-add", "in", "guest", "--", "lsp-set-addresses", "guest", GUEST)
        rig.nbctl("set", "Logical_Router_Port", "r-out", "options:prefix_delegation=true")
        advertising = (f"ipv6_ra_configs:{name}={value}" for name, value in ADVERTISING.items())
        rig.nbctl("set", "Logical_Router_Port", "r-in", "options:prefix=true", *advertising)
        start(rig, controller)
        server = rig.hosts[0].plug("server", SERVER, "")
        guest = rig.hosts[0].plug("guest", GUEST, "")
        settle(rig, "server", "guest")
        with Ear(server) as ear:
            answers = 0
            for frame in ear.frames(patience_s=60.0):
                if (answer := reply(frame)) is not None:
                    ear.send(answer)
                    answers += 1
                if answers == 2:  # to a solicitation, and to a request
                    break
        rig.nbctl("--timeout=30", "wait-until", "Logical_Router_Port", "r-in", "ipv6_prefix!=[]")
        assert rig.nbctl("--bare", "get", "Logical_Router_Port", "r-in", "ipv6_prefix").strip() == f'["{PREFIX}/64"]'
        until(lambda: PREFIX.removesuffix(":") in guest.ip("-6", "-o", "addr"), "an address of the prefix")
