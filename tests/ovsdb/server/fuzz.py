"""Messages that a client might send that is careless, mad or malicious."""

from typing import Any

from hypothesis import strategies as st

Json = Any

COLUMNS = (
    "name", "num", "any", "ratio", "flag", "id", "color", "level", "short", "tags", "nums", "pair", "reals", "map",
    "imap", "kids", "kid", "kmap", "peers", "wmap", "need", "frozen", "eph", "must", "val", "x", "_uuid", "_version",
)  # fmt: skip
WORDS = (
    *COLUMNS, "Root", "Kid", "Other", "Single", "Rich", "_Server", "Database", "uuid", "named-uuid", "set", "map",
    "red", "==", "!=", "<", "includes", "excludes", "insert", "delete", "+=", "/=", "%=", "a", "b", "", "columns",
    "where", "00000000-0000-0000-0000-000000000000", "initial", "modify", "select",
)  # fmt: skip

numbers = st.one_of(
    st.integers(-3, 12), st.sampled_from([2**31, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 1e300, -0.0, 0.5])
)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.sampled_from(WORDS), st.text(max_size=4))
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)


def mostly(sane: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Four times out of five what makes sense."""
    return st.integers(0, 4).flatmap(lambda dice: anything if dice == 0 else sane)


atoms = mostly(st.sampled_from(["a", "b", "red", 1, 2, 0.5, True, ["named-uuid", "n"], ["uuid", "0" * 8]]))
values = mostly(
    st.one_of(
        atoms,
        st.lists(atoms, max_size=3).map(lambda some: ["set", some]),
        st.lists(st.tuples(atoms, atoms).map(list), max_size=3).map(lambda some: ["map", some]),
    )
)
columns = mostly(st.sampled_from(COLUMNS))
tables = mostly(st.sampled_from(["Root", "Kid", "Other", "Single"]))
rows = mostly(st.dictionaries(st.sampled_from(COLUMNS), values, max_size=5))
functions = mostly(st.sampled_from(["==", "!=", "<", ">=", "includes", "excludes"]))
mutators = mostly(st.sampled_from(["+=", "-=", "*=", "/=", "%=", "insert", "delete"]))
wheres = mostly(st.lists(mostly(st.tuples(columns, functions, values).map(list)), max_size=2))
mutations = mostly(st.lists(mostly(st.tuples(columns, mutators, values).map(list)), max_size=2))
names = mostly(st.sampled_from(["n", "m"]))

MEMBERS = {
    "table": tables, "where": wheres, "row": rows, "rows": mostly(st.lists(rows, max_size=2)), "mutations": mutations,
    "columns": mostly(st.lists(columns, max_size=3)), "until": mostly(st.sampled_from(["==", "!="])),
    "timeout": mostly(st.just(0)), "uuid-name": names, "uuid": names, "comment": names, "lock": names,
    "durable": mostly(st.booleans()),
}  # fmt: skip
NEEDED = {
    "insert": ("table", "row"), "select": ("table", "where"), "update": ("table", "where", "row"),
    "mutate": ("table", "where", "mutations"), "delete": ("table", "where"),
    "wait": ("table", "where", "columns", "until", "rows", "timeout"), "commit": ("durable",), "abort": (),
    "comment": ("comment",), "assert": ("lock",),
}  # fmt: skip


@st.composite
def operations(draw: st.DrawFn) -> Json:
    """An operation, nearly right."""
    name = draw(st.sampled_from([*NEEDED]))
    members = [*NEEDED[name], *draw(st.lists(st.sampled_from([*MEMBERS]), max_size=1))]
    return {"op": name} | {member: draw(MEMBERS[member]) for member in members if draw(st.integers(0, 19))}


select = mostly(st.dictionaries(st.sampled_from(["initial", "insert", "delete", "modify"]), st.booleans(), max_size=2))
requests = mostly(
    st.fixed_dictionaries({}, optional={"columns": MEMBERS["columns"], "where": wheres, "select": select})
)
monitored = mostly(st.dictionaries(tables.filter(lambda name: isinstance(name, str)), requests, max_size=2))
transactions = st.lists(mostly(operations()), max_size=4).map(lambda some: ["Rich", *some])
ids = mostly(st.sampled_from([1, 2, "x"]))

PARAMS = {
    "transact": transactions,
    "monitor": st.tuples(st.just("Rich"), ids, monitored).map(list),
    "monitor_cond": st.tuples(st.just("Rich"), ids, monitored).map(list),
    "monitor_cond_since": st.tuples(st.just("Rich"), ids, monitored, st.just("0" * 36)).map(list),
    "monitor_cond_change": st.tuples(ids, ids, monitored).map(list),
    "monitor_cancel": ids.map(lambda id: [id]),
    "lock": names.map(lambda name: [name]),
    "steal": names.map(lambda name: [name]),
    "unlock": names.map(lambda name: [name]),
    "cancel": ids.map(lambda id: [id]),
    "echo": st.lists(anything, max_size=2),
    "get_schema": st.just(["Rich"]),
    "convert": st.tuples(st.just("Rich"), anything).map(list),
    "set_db_change_aware": anything.map(lambda value: [value]),
    "get_server_id": st.just([]),
    "list_dbs": st.just([]),
}


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Json]:
    """A message, mostly one that a server understands."""
    if not draw(st.integers(0, 29)):
        return draw(st.dictionaries(st.sampled_from(["id", "method", "params", "result", "error"]), anything))
    method = draw(st.sampled_from([*PARAMS, "transact", "transact", "transact"]))
    return {"id": draw(ids), "method": method, "params": draw(mostly(PARAMS[method]))}
