"""What holds between rows: references, garbage, limits, indexes."""

from typing import Any

from tests.ovsdb.server.engine import Client, Engine, delete, insert, named, select, update

NOWHERE = ["uuid", "11111111-2222-3333-4444-555555555555"]


def client() -> Client:
    return Engine().client()


def names(client: Client, table: str) -> list[str]:
    return sorted(row["name"] for row in client.transact(select(table, columns=["name"]))[0]["rows"])


def refused(client: Client, *operations: Any) -> str:
    """The words in which a commit as a whole is refused."""
    results = client.transact(*operations)
    assert len(results) == len(operations) + 1
    return f"{results[-1]['error']}: {results[-1]['details']}"


def test_a_row_of_a_non_root_table_lives_as_long_as_it_is_referred_to() -> None:
    it = client()
    it.transact(insert("Kid", name="orphan"))
    it.transact(insert(kid=named("k")), insert("Kid", "k", name="kept"))
    assert names(it, "Kid") == ["kept"]
    it.transact(update("Root", {"kid": ["set", []]}))
    assert names(it, "Kid") == []


def test_garbage_is_collected_down_the_chain_and_references_to_oneself_do_not_count() -> None:
    it = client()
    it.transact(
        insert(kid=named("a")),
        insert("Kid", "a", name="a", kids=["set", [named("a"), named("b")]]),
        insert("Kid", "b", name="b"),
    )
    assert names(it, "Kid") == ["a", "b"]
    it.transact(delete("Root"))
    assert names(it, "Kid") == []


def test_a_strong_reference_needs_its_target() -> None:
    it = client()
    assert "references nonexistent row 11111111-2222-3333-4444-555555555555 in table Kid." in refused(
        it, insert(kid=NOWHERE)
    )
    it.transact(insert(kid=named("k"), kids=named("k")), insert("Kid", "k"))
    assert refused(it, delete("Kid")).endswith("because of 2 remaining reference(s)")


def test_weak_references_go_with_their_targets() -> None:
    it = client()
    it.transact(insert("Root", "p", name="p"), insert(name="q", peers=["set", [named("p"), NOWHERE]]))
    it.transact(delete("Root", ["name", "==", "p"]))
    assert it.transact(select("Root", columns=["name", "peers"])) == [{"rows": [{"name": "q", "peers": ["set", []]}]}]


def test_a_weak_reference_that_must_not_go_keeps_its_target() -> None:
    it = client()
    it.transact(insert("Root", "r", name="r"), insert("Other", must=named("r")))
    assert "caused this column to become empty" in refused(it, delete("Root"))
    assert names(it, "Root") == ["r"]


def test_a_row_and_all_that_refers_to_it_may_go_together() -> None:
    it = client()
    it.transact(insert("Root", "r", name="r"), insert("Other", must=named("r")))
    assert it.transact(delete("Root"), delete("Other")) == [{"count": 1}, {"count": 1}]


def test_a_table_grows_to_its_limit_and_no_further() -> None:
    it = client()
    it.transact(insert("Single", x=1))
    assert "contain 2 rows, greater than the schema-defined limit of 1 row(s)" in refused(it, insert("Single", x=2))
    assert it.transact(delete("Single"), insert("Single", x=3))[0] == {"count": 1}


def test_indexes_are_unique() -> None:
    it = client()
    it.transact(insert(name="a"), insert(name="b"))
    fault = refused(it, insert(name="a"))
    assert 'multiple rows in "Root" table to have identical values (a) for index on column "name".' in fault
    assert "existed in the database before this transaction and was not modified by the transaction." in fault
    assert "had the following index values before the transaction: b." in refused(
        it, update("Root", {"name": "a"}, ["name", "==", "b"])
    )
    assert "was inserted by this transaction." in refused(it, insert(name="c"), insert(name="c"))


def test_index_values_may_be_exchanged_within_one_transaction() -> None:
    it = client()
    it.transact(insert(name="a", num=1), insert(name="b", num=2))
    it.transact(
        update("Root", {"name": "c"}, ["name", "==", "a"]),
        update("Root", {"name": "a"}, ["name", "==", "b"]),
        update("Root", {"name": "b"}, ["name", "==", "c"]),
    )
    assert it.transact(select("Root", ["name", "==", "a"], columns=["num"])) == [{"rows": [{"num": 2}]}]
    assert it.transact(delete("Root", ["name", "==", "a"]), insert(name="a", num=3))[0] == {"count": 1}


def test_a_refused_transaction_leaves_everything_as_it_was() -> None:
    it = client()
    it.transact(insert(name="a", kid=named("k")), insert("Kid", "k", name="k"))
    refused(it, delete("Root"), insert(kid=NOWHERE))
    assert (names(it, "Root"), names(it, "Kid")) == (["a"], ["k"])
    it.transact(delete("Root"))
    assert names(it, "Kid") == []
