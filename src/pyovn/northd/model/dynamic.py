"""Dynamic routing: which routes a router port tells the world outside, and whether it follows what is told to it.

    options:dynamic-routing-redistribute    connected, connected-as-host, static, nat, lb: a port's own, or its router's
    options:dynamic-routing-…               what the controllers are told, with Port_Binding and Datapath_Binding

Routing daemons beside the controllers (FRR, BIRD) do the talking; the controllers exchange routes with them by way of
the kernel.
"""

from collections.abc import Mapping

DYNAMIC = "dynamic-routing"
REDISTRIBUTE = "dynamic-routing-redistribute"
LOCAL_ONLY = "dynamic-routing-redistribute-local-only"
NO_LEARNING = "dynamic-routing-no-learning"
MAINTAIN_VRF = "dynamic-routing-maintain-vrf"
PORT_NAME = "dynamic-routing-port-name"
VRF_NAME = "dynamic-routing-vrf-name"

CONNECTED, AS_HOST, STATIC, NAT, LB = KINDS = ("connected", "connected-as-host", "static", "nat", "lb")


def redistributed(router: Mapping[str, str], port: Mapping[str, str]) -> tuple[frozenset[str], list[str]]:
    """The kinds of routes that a port tells, and what is none."""
    words = port.get(REDISTRIBUTE, router.get(REDISTRIBUTE, "")).split(",")
    return frozenset(words) & frozenset(KINDS), [each for each in words if each and each not in KINDS]


def told_to_controllers(router: Mapping[str, str], port: Mapping[str, str], *, here: bool) -> dict[str, str]:
    """The options of a port's binding; `here` where one chassis has the port, and with it the router's routes."""
    if router.get(DYNAMIC) != "true":
        return {}
    found = {key: "true" for key in (LOCAL_ONLY, NO_LEARNING) if port.get(key, router.get(key)) == "true"}
    if here:
        found[DYNAMIC] = "true"
        if port.get(MAINTAIN_VRF) == "true":
            found[MAINTAIN_VRF] = "true"
        found.update((key, of[key]) for key, of in ((PORT_NAME, port), (VRF_NAME, router)) if key in of)
    return found
