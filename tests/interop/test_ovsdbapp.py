"""The official Python IDL, and ovsdbapp's northbound and southbound APIs on top of it, against the embedded server."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.clusters import eventually
from tests.support.servers import RunningServer, server_process, upstream_schema

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

NB, SB = "OVN_Northbound", "OVN_Southbound"
Api = Any  # ovsdbapp has no types


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with server_process(upstream_schema("ovn-nb"), upstream_schema("ovn-sb")) as running:
        yield running


def module(name: str) -> Any:
    return pytest.importorskip(name, reason=f"{name}: not installed (extra dev)")


def connection(remote: str, schema: str) -> Any:
    made = module("ovsdbapp.backend.ovs_idl.connection")
    with_events = module("ovsdbapp.event")

    class Idl(made.OvsdbIdl):  # type: ignore[misc, name-defined]
        """An IDL that tells of events, as Neutron's does."""

        def __init__(self, *arguments: Any, **more: Any) -> None:
            self.notify_handler = with_events.RowEventHandler()
            super().__init__(*arguments, **more)

        def notify(self, event: str, row: Any, updates: Any = None) -> None:
            self.notify_handler.notify(event, row, updates)

    return made.Connection(idl=Idl.from_server(remote, schema), timeout=10)


@pytest.fixture(scope="module")
def northbound(server: RunningServer) -> Iterator[Api]:
    made = connection(server.remote, NB)
    yield module("ovsdbapp.schema.ovn_northbound.impl_idl").OvnNbApiIdlImpl(made)
    made.stop()


@pytest.fixture(scope="module")
def southbound(server: RunningServer) -> Iterator[Api]:
    made = connection(server.remote, SB)
    yield module("ovsdbapp.schema.ovn_southbound.impl_idl").OvnSbApiIdlImpl(made)
    made.stop()


def do(command: Any) -> Any:
    """Run a command in a transaction of its own; gives its result."""
    return command.execute(check_error=True)


def test_switches_and_ports(northbound: Api) -> None:
    do(northbound.ls_add("sw", may_exist=True))
    do(northbound.ls_add("sw", may_exist=True))
    do(northbound.lsp_add("sw", "p", addresses=["00:00:00:00:00:01 10.0.0.1"], external_ids={"k": "v"}))
    do(northbound.lsp_set_options("p", requested_chassis="c"))
    do(northbound.lsp_set_enabled("p", False))
    (port,) = do(northbound.lsp_list("sw"))
    assert (port.name, port.addresses, port.options) == (
        "p",
        ["00:00:00:00:00:01 10.0.0.1"],
        {"requested_chassis": "c"},
    )
    assert do(northbound.lsp_get_enabled("p")) is False
    do(northbound.lsp_del("p"))
    assert do(northbound.lsp_list("sw")) == []
    with pytest.raises(RuntimeError):
        do(northbound.lsp_del("p"))
    do(northbound.ls_del("sw"))
    assert "sw" not in [switch.name for switch in do(northbound.ls_list())]


def test_one_transaction_is_all_or_nothing(northbound: Api) -> None:
    with northbound.transaction(check_error=True) as transaction:
        transaction.add(northbound.ls_add("one"))
        transaction.add(northbound.lsp_add("one", "one-p"))
        transaction.add(northbound.db_set("Logical_Switch", "one", ("external_ids", {"a": "b"})))
    assert do(northbound.db_get("Logical_Switch", "one", "external_ids")) == {"a": "b"}
    with pytest.raises(RuntimeError), northbound.transaction(check_error=True) as transaction:  # noqa: PT012
        transaction.add(northbound.ls_add("two"))
        transaction.add(northbound.lsp_del("nobody"))
    assert do(northbound.db_find("Logical_Switch", ("name", "=", "two"))) == []


def test_routers_nat_routes_and_policies(northbound: Api) -> None:
    do(northbound.lr_add("lr"))
    do(northbound.lrp_add("lr", "lrp", "00:00:00:00:00:02", ["10.0.0.254/24"]))
    do(northbound.lr_nat_add("lr", "snat", "1.2.3.4", "10.0.0.0/24"))
    do(northbound.lr_route_add("lr", "0.0.0.0/0", "10.0.0.1"))
    do(northbound.lrp_set_gateway_chassis("lrp", "c1", 10))
    assert [nat.external_ip for nat in do(northbound.lr_nat_list("lr"))] == ["1.2.3.4"]
    assert [route.nexthop for route in do(northbound.lr_route_list("lr"))] == ["10.0.0.1"]
    do(northbound.lr_nat_del("lr", "snat", "10.0.0.0/24"))
    assert do(northbound.lr_nat_list("lr")) == []
    do(northbound.lr_del("lr"))
    assert do(northbound.db_list("NAT")) == []  # nobody refers to it any more


def test_acls_groups_load_balancers_dhcp_and_qos(northbound: Api) -> None:
    do(northbound.ls_add("acls"))
    do(northbound.lsp_add("acls", "acl-p"))
    do(northbound.acl_add("acls", "to-lport", 1000, "ip4", "allow-related", log=True, severity="info"))
    assert [acl.priority for acl in do(northbound.acl_list("acls"))] == [1000]
    do(northbound.pg_add("pg"))
    do(northbound.pg_add_ports("pg", do(northbound.lsp_get("acl-p")).uuid))
    assert len(do(northbound.pg_get("pg")).ports) == 1
    do(northbound.lsp_del("acl-p"))
    assert do(northbound.pg_get("pg")).ports == []  # a weak reference
    do(northbound.lb_add("lb", "1.1.1.1:80", ["10.0.0.1:80", "10.0.0.2:80"], "tcp"))
    do(northbound.ls_lb_add("acls", "lb"))
    assert [each.name for each in do(northbound.ls_lb_list("acls"))] == ["lb"]
    options = do(northbound.dhcp_options_add("10.0.0.0/24", owner="me"))
    do(northbound.dhcp_options_set_options(options.uuid, router="10.0.0.1"))
    assert do(northbound.dhcp_options_get_options(options.uuid)) == {"router": "10.0.0.1"}
    do(northbound.qos_add("acls", "from-lport", 10, "ip4", rate=1000))
    do(northbound.address_set_add("as", ["10.0.0.1"]))
    do(northbound.address_set_add_addresses("as", ["10.0.0.2"]))
    assert sorted(do(northbound.address_set_get("as")).addresses) == ["10.0.0.1", "10.0.0.2"]
    do(northbound.ls_del("acls"))
    assert do(northbound.db_list("ACL")) == []


def test_chassis_and_bindings(server: RunningServer, southbound: Api) -> None:
    do(southbound.chassis_add("c1", ["geneve", "vxlan"], "192.0.2.1", external_ids={"k": "v"}))
    (chassis,) = do(southbound.chassis_list())
    assert sorted(encap.type for encap in chassis.encaps) == ["geneve", "vxlan"]
    server.transact(  # as ovn-northd does
        SB,
        {"op": "insert", "table": "Datapath_Binding", "uuid-name": "d", "row": {"tunnel_key": 7}},
        {
            "op": "insert",
            "table": "Port_Binding",
            "row": {"logical_port": "p1", "tunnel_key": 3, "datapath": ["named-uuid", "d"]},
        },
    )
    eventually(lambda: do(southbound.db_find("Port_Binding", ("logical_port", "=", "p1"))))
    do(southbound.lsp_bind("p1", "c1"))
    assert eventually(lambda: do(southbound.db_get("Port_Binding", "p1", "chassis"))) == chassis.uuid
    do(southbound.lsp_unbind("p1"))
    do(southbound.chassis_del("c1"))
    assert do(southbound.chassis_list()) == []


def test_events_are_told_as_rows_change(server: RunningServer, northbound: Api) -> None:
    events = module("ovsdbapp.backend.ovs_idl.event")

    class Seen(events.WaitEvent):  # type: ignore[misc, name-defined]
        event_name = "seen"

        def __init__(self) -> None:
            super().__init__((self.ROW_CREATE,), "Logical_Switch", (("name", "=", "watched"),), timeout=9)

    seen = Seen()
    northbound.idl.notify_handler.watch_event(seen)
    server.transact(NB, {"op": "insert", "table": "Logical_Switch", "row": {"name": "watched"}})
    assert seen.wait()


def test_locks_pass_from_one_idl_to_the_next(server: RunningServer) -> None:
    first, second = (plain_idl(server.remote, f"{NB}") for _ in range(2))
    first.set_lock("l")
    turn(lambda: first.has_lock, first)
    second.set_lock("l")
    turn(lambda: second.is_lock_contended, first, second)
    first.close()
    turn(lambda: second.has_lock, second)
    second.close()


def test_conditions_of_the_idl_hold(server: RunningServer) -> None:
    names = [f"cond{number}" for number in range(3)]
    server.transact(NB, *({"op": "insert", "table": "Address_Set", "row": {"name": name}} for name in names))
    idl = plain_idl(server.remote, NB, {"Address_Set": [["name", "==", "cond1"]]})

    def shown() -> set[str]:
        return {row.name for row in idl.tables["Address_Set"].rows.values()}

    turn(lambda: shown() == {"cond1"}, idl)
    idl.cond_change("Address_Set", [["name", "==", "cond1"], ["name", "==", "cond2"]])
    turn(lambda: shown() == {"cond1", "cond2"}, idl)
    idl.cond_change("Address_Set", [False])
    turn(lambda: not shown(), idl)
    idl.close()


def test_an_idl_that_comes_back_is_told_only_what_it_missed(server: RunningServer) -> None:
    idl = plain_idl(server.remote, NB)
    name = str(uuid.uuid4())
    server.transact(NB, {"op": "insert", "table": "Address_Set", "row": {"name": name}})
    turn(lambda: name in [row.name for row in idl.tables["Address_Set"].rows.values()], idl)
    before = idl.last_id
    idl.force_reconnect()
    turn(lambda: idl.last_id == before and idl._session.is_connected(), idl)
    server.transact(NB, {"op": "delete", "table": "Address_Set", "where": [["name", "==", name]]})
    turn(lambda: name not in [row.name for row in idl.tables["Address_Set"].rows.values()], idl)
    assert idl.last_id != before
    idl.close()


def plain_idl(remote: str, schema: str, conditions: dict[str, Any] | None = None) -> Any:
    idls = module("ovs.db.idl")
    helper = idls.SchemaHelper(schema_json=upstream_schema("ovn-nb"))
    helper.register_table("Address_Set")
    idl = idls.Idl(remote, helper, leader_only=False)
    for table, condition in (conditions or {}).items():
        idl.cond_change(table, condition)
    turn(lambda: idl.has_ever_connected(), idl)
    return idl


def turn(holds: Any, *idls: Any) -> None:
    """Run IDLs until something holds."""

    def step() -> bool:
        for idl in idls:
            idl.run()
        return bool(holds())

    eventually(step)
