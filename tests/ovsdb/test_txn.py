import json
from typing import Any

import pytest

from pyovn.net.uuids import Uuid, uuid_text
from pyovn.ovsdb.errors import OvsdbError, ProtocolFault, TransactionFailed, ValueFault
from pyovn.ovsdb.model import new
from pyovn.ovsdb.txn import Txn, clause
from pyovn.tables.nb import ACL, LogicalSwitch, LogicalSwitchPort
from pyovn.tables.sb import LogicalFlow

U, V = uuid_text(1), uuid_text(2)
SWITCH = new(LogicalSwitch, U, name="sw0", external_ids={"a": "b"})


def dumps(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_an_inserted_row_can_be_referred_to() -> None:
    txn = Txn()
    port = txn.insert(LogicalSwitchPort, name="p1", tag=None)
    txn.insert(LogicalSwitch, name="sw0", ports=frozenset({port, V}))
    assert txn.operations() == [
        {
            "op": "insert",
            "table": "Logical_Switch_Port",
            "row": {"name": "p1", "tag": ["set", []]},
            "uuid-name": "row1",
        },
        {
            "op": "insert",
            "table": "Logical_Switch",
            "row": {"name": "sw0", "ports": ["set", [["uuid", V], ["named-uuid", "row1"]]]},
            "uuid-name": "row2",
        },
    ]


def test_a_row_may_be_given_its_uuid() -> None:
    txn = Txn()
    assert txn.insert_as(LogicalSwitch, V, name="sw0") == V
    assert txn.operations() == [{"op": "insert", "table": "Logical_Switch", "row": {"name": "sw0"}, "uuid": V}]


def test_an_update_leaves_out_what_is_so_already() -> None:
    txn = Txn()
    txn.update(SWITCH, name="sw0", external_ids={"a": "b"})
    assert not txn
    txn.update(SWITCH, name="sw1", external_ids={"a": "b"})
    where = [["_uuid", "==", ["uuid", U]]]
    assert txn.operations() == [{"op": "update", "table": "Logical_Switch", "where": where, "row": {"name": "sw1"}}]


@pytest.mark.parametrize(
    ("column", "operator", "value", "operand"),
    [
        ("ports", "insert", V, ["set", [["uuid", V]]]),
        ("ports", "delete", frozenset({V}), ["set", [["uuid", V]]]),
        ("external_ids", "insert", {"k": "v"}, ["map", [["k", "v"]]]),
        ("external_ids", "delete", "k", ["set", ["k"]]),
        ("external_ids", "delete", ["k", "l"], ["set", ["k", "l"]]),
        ("external_ids", "delete", {"k": "v"}, ["map", [["k", "v"]]]),
        ("name", "+=", 5, 5),
    ],
)
def test_a_mutation(column: str, operator: str, value: Any, operand: Any) -> None:
    txn = Txn()
    txn.mutate(SWITCH, column, operator, value)
    (operation,) = txn.operations()
    assert isinstance(operation, dict)
    assert operation["mutations"] == [[column, operator, operand]]


def test_mutations_that_make_no_sense_are_refused() -> None:
    with pytest.raises(OvsdbError, match="only a map"):
        Txn().mutate(SWITCH, "external_ids", "insert", "k")
    with pytest.raises(ValueFault, match="No column colour in table Logical_Switch"):
        Txn().mutate(SWITCH, "colour", "insert", "k")


def test_deletes_waits_selects_and_comments() -> None:
    txn = Txn()
    txn.delete(SWITCH)
    txn.wait(SWITCH, name="sw0")
    txn.select(LogicalSwitch, [clause(LogicalSwitch, "name", "==", "sw0")], ["name"])
    txn.comment("one")
    txn.comment("two")
    delete, wait, select, comment = txn.operations()
    assert isinstance(wait, dict)
    assert isinstance(select, dict)
    assert delete == {"op": "delete", "table": "Logical_Switch", "where": [["_uuid", "==", ["uuid", U]]]}
    assert (wait["timeout"], wait["until"], wait["columns"], wait["rows"]) == (0, "==", ["name"], [{"name": "sw0"}])
    assert (select["where"], select["columns"]) == ([["name", "==", "sw0"]], ["_uuid", "name"])
    assert comment == {"op": "comment", "comment": "one\ntwo"}


def test_clauses_of_conditions() -> None:
    assert clause(LogicalFlow, "logical_datapath", "==", Uuid(U)) == ["logical_datapath", "==", ["uuid", U]]
    assert clause(LogicalFlow, "_uuid", "!=", U) == ["_uuid", "!=", ["uuid", U]]
    assert clause(LogicalSwitch, "ports", "includes", U) == ["ports", "includes", ["uuid", U]]
    assert clause(LogicalSwitch, "external_ids", "includes", {"a": "b"})[2] == ["map", [["a", "b"]]]


def test_raw_rows_are_sent_as_they_are() -> None:
    txn = Txn()
    name = txn.new_name()
    txn.raw_insert("Logical_Flow", b'{"match":"1"}')
    txn.raw_insert("Logical_Flow", b'{"match":"2"}', name)
    txn.raw_insert("Logical_Flow", {"match": "3"})
    txn.raw_insert("Logical_Flow", {"match": "4"}, txn.new_name())
    txn.raw({"op": "abort"})
    params = json.loads(txn.params("OVN_Southbound", dumps, lock="ovn_northd"))
    assert params[:2] == ["OVN_Southbound", {"op": "assert", "lock": "ovn_northd"}]
    assert [each.get("row", {}).get("match") for each in params[2:]] == ["1", "2", "3", "4", None]
    assert [each.get("uuid-name") for each in params[2:]] == [None, "row1", None, "row2", None]
    assert len(txn) == 5


def test_without_raw_rows_the_parameters_are_encoded_at_once() -> None:
    txn = Txn()
    txn.insert(LogicalSwitch)
    assert json.loads(txn.params("d", dumps)) == ["d", *txn.operations()]


def refused(txn: Txn, results: Any) -> TransactionFailed:
    with pytest.raises(TransactionFailed) as fault:
        txn.settle(results)
    return fault.value


def failing() -> Txn:
    txn = Txn()
    txn.insert(ACL, match="ip4", priority=1)
    txn.set(LogicalSwitch, U, name="sw1")
    txn.delete(SWITCH)
    txn.raw_insert("Logical_Flow", b"{}")
    return txn


def test_a_failure_names_the_operation_and_the_row() -> None:
    error = {"error": "constraint violation", "details": "too much"}
    faults = [refused(failing(), [{}] * index + [error]) for index in range(4)]
    assert [str(fault) for fault in faults] == [
        'insert into ACL (match="ip4"): constraint violation: too much',
        f'update of Logical_Switch {U} (name="sw1"): constraint violation: too much',
        f"delete of Logical_Switch {U}: constraint violation: too much",
        '{"op":"insert","table":"Logical_Flow","row":{}}: constraint violation: too much',
    ]
    assert [fault.index for fault in faults] == [0, 1, 2, 3]
    assert not faults[0].is_transient


def test_a_failed_commit_names_the_row_whose_uuid_it_tells() -> None:
    results = [{"uuid": ["uuid", V]}, {"count": 1}, {"count": 1}, {"uuid": ["uuid", uuid_text(3)]}]
    inserted = refused(failing(), [*results, {"error": "constraint violation", "details": f"row {V} is bad"}])
    assert inserted.subject == 'insert into ACL (match="ip4")'
    updated = refused(failing(), [*results, {"error": "constraint violation", "details": f"row {U} is bad"}])
    assert updated.subject == f'update of Logical_Switch {U} (name="sw1")'
    unknown = refused(failing(), [*results, {"error": "timed out"}])
    assert (unknown.subject, str(unknown), unknown.is_transient) == ("", "timed out", True)


def test_other_operations_have_names_too() -> None:
    txn = Txn()
    txn.raw({"op": "assert", "lock": "l"})
    txn.comment("x")
    assert refused(txn, [{"error": "not owner"}]).subject == "lock l"
    assert refused(txn, [{}, {"error": "x"}]).subject == "comment"


def test_a_settled_transaction_knows_the_uuids_of_its_rows() -> None:
    txn = Txn()
    name = txn.insert(LogicalSwitch)
    assert txn.settle([{"uuid": ["uuid", V]}]) == [{"uuid": ["uuid", V]}]
    assert txn.uuids == {name: V}


@pytest.mark.parametrize("results", [[], None, {}])
def test_results_that_make_no_sense_are_refused(results: Any) -> None:
    txn = Txn()
    txn.delete(SWITCH)
    with pytest.raises(ProtocolFault):
        txn.settle(results)
