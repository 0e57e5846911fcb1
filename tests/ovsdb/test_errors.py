from pyovn.net.errors import Malformed, OvnError
from pyovn.ovsdb.errors import Disconnected, ProtocolFault, SchemaFault, TransactionFailed, ValueFault, remote_error


def test_every_fault_is_one_of_ours() -> None:
    assert all(issubclass(each, OvnError) for each in (Disconnected, TransactionFailed))
    assert all(issubclass(each, Malformed) for each in (ProtocolFault, SchemaFault, ValueFault))


def test_a_failed_transaction_is_told_in_one_line() -> None:
    assert str(TransactionFailed("aborted")) == "aborted"
    assert str(TransactionFailed("aborted", "by request", "comment")) == "comment: aborted: by request"
    assert TransactionFailed("timed out").is_transient


def test_servers_errors_are_taken_in_every_form() -> None:
    assert str(remote_error({"error": "e", "details": "d"}, "s", 3)) == "s: e: d"
    assert str(remote_error("plain")) == "plain"
    assert str(remote_error({})) == "error"


def test_a_lost_connection_says_so() -> None:
    assert str(Disconnected()) == "connection to the database lost"
    assert str(Disconnected("gone")) == "gone"


def test_a_value_fault_keeps_what_was_wrong() -> None:
    fault = ValueFault("syntax error", "expected integer", "x")
    assert (str(fault), fault.syntax) == ("syntax error: expected integer", "x")
