"""Symmetric replies: on a gateway router, replies to what came in by one of several routes go back the same way.

defrag          track          ecmp_stateful    remember the neighbour's MAC and the port
ip_routing      10300: by that port             policy, arp_resolve    and to that MAC, whatever policies say
"""

from collections.abc import Iterator

from pyovn.northd.feature import Feature
from pyovn.northd.model.router import Router
from pyovn.northd.model.routes import Destination, Route
from pyovn.northd.pipeline import NEXT, STAGE, Flow

feature = Feature()

MAC = "push(xxreg1); xxreg1 = ct_label; eth.dst = xxreg1[32..79]; pop(xxreg1); "


@feature.route
def reply(router: Router, to: Destination, routes: tuple[Route, ...], group: int) -> Iterator[Flow]:
    """The way back of each route."""
    if not router.chassis:
        return
    table = router.tables.index(to.table) + 1 if to.table else 0
    there, back = ("src", "dst") if to.by_source else ("dst", "src")
    network = f"{to.network}/{to.length}"
    leaving = f"reg7 == {table} && {to.ip}.{there} == {network}"
    for route in routes:
        if not route.hop.address or not route.symmetric or not route.key:
            continue
        hop, known = route.hop, f"ct_mark.ecmp_reply_port == {route.key}"
        coming = f"inport == {hop.port} && {to.ip}.{back} == {to.network if to.is_host else network}"
        yield Flow(STAGE["lr_in_defrag"], 100, coming, "ct_next;")
        yield Flow(STAGE["lr_in_defrag"], 100, leaving, "ct_next;")
        commit = f"ct_commit {{ ct_label.ecmp_reply_eth = eth.src; {known.replace('==', '=')};}}; {NEXT}"
        yield Flow(STAGE["lr_in_ecmp_stateful"], 100, f"{coming} && (ct.new || ct.est)", commit)
        source = "reg5" if hop.is_ip4 else "xxreg1"
        way = f"ip.ttl--; flags.loopback = 1; eth.src = {hop.mac}; {source} = {hop.source}; outport = {hop.port}; "
        yield Flow(STAGE["lr_in_ip_routing"], 10300, f"{known} && {leaving}", way + NEXT)
        yield Flow(STAGE["lr_in_policy"], 65535, known, NEXT)
        yield Flow(STAGE["lr_in_arp_resolve"], 200, known, MAC + NEXT)
