"""How balanced connections look in matches and actions, on switches and on routers.

reg4, xxreg1    the virtual address that was asked for      reg2[0..15]   and its port
reg1[16..23]    the protocol of a new connection            reg1[0..15]   and its port, even of a fragment
reg9[6]         has the client been sent somewhere before?
"""

from pyovn.northd.model.balancer import PROTOCOLS, Backend, Balancer, Vip

KNOWN_CLIENT = "reg9[6]"
REGISTER = {"ip4": "reg4", "ip6": "xxreg1"}  #: of the virtual address
PORT = "reg2[0..15]"


def noted(vip: Vip) -> str:
    """The actions that note the virtual address."""
    port = f"{PORT} = {vip.port}; " if vip.port else ""
    return f"{REGISTER[vip.ip]} = {vip.address}; {port}"


def asked_for(balancer: Balancer, vip: Vip) -> str:
    """A new connection to the virtual address."""
    port = f" && reg1[16..23] == {PROTOCOLS[balancer.protocol]} && reg1[0..15] == {vip.port}" if vip.port else ""
    return f"{vip.ip}.dst == {vip.address}{port}"


def empty(balancer: Balancer, vip: Vip) -> tuple[str, str]:
    """Match and actions for a virtual address without backends: the cloud may want to start one."""
    port = f" && {balancer.protocol}.dst == {vip.port}" if vip.port else ""
    event = (
        f'trigger_event(event = "empty_lb_backends", vip = "{vip.text}", protocol = "{balancer.protocol}", '
        f'load_balancer = "{balancer.uuid}");'
    )
    return f"{vip.ip}.dst == {vip.address} && {balancer.protocol}{port}", event


def before(vip: Vip, backend: Backend) -> str:
    """A new connection of a client that was sent to this backend before."""
    port = f" && {PORT} == {backend.port}" if backend.port else ""
    sent_to = f"{REGISTER[vip.ip]} == {backend.address}{port}"
    return f"{KNOWN_CLIENT} == 1 && ct.new && {vip.ip}.dst == {vip.address} && {sent_to}"


def sent(balancer: Balancer, vip: Vip, backend: Backend) -> str:
    """A client was just sent to this backend."""
    noted_port = f" && {PORT} == {vip.port}" if vip.port else ""
    port = f" && {balancer.protocol}.dst == {backend.port}" if backend.port else ""
    asked = f"{REGISTER[vip.ip]} == {vip.address}{noted_port}"
    return f"{KNOWN_CLIENT} == 0 && ct.new && {vip.ip} && {asked} && {vip.ip}.dst == {backend.address}{port}"


def learned(balancer: Balancer, vip: Vip, backend: Backend) -> str:
    """Remember it; the packet is lost, and the client's next try goes where it belongs."""
    protocol = f"proto = {balancer.protocol}, " if vip.port else ""
    return (
        f'commit_lb_aff(vip = "{vip.text}", backend = "{backend}", {protocol}timeout = {balancer.affinity_s}); '
        "/* drop */"
    )
