"""Mirrors: edits lead from whatever there is to what is wanted, and leave what others made alone."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from pyovn.controller.edits import Edit, Insert, Put, Take, Update
from pyovn.controller.mirrors import OURS, WantedMirror, mirror_edits
from pyovn.net.uuids import Uuid
from pyovn.ovsdb.model import Row, new
from pyovn.tables.vswitch import Bridge, Interface, Mirror, Port

SOURCES = [Uuid("source1"), Uuid("source2")]
END = Uuid("end")


class Switch:
    """A bridge with its rows, which edits change."""

    def __init__(self) -> None:
        mine, theirs = new(Port, "mine", name="ovn-mine"), new(Mirror, "theirs", name="theirs")
        self.rows: dict[type[Row], dict[Uuid, Row]] = {
            Port: {mine.uuid: mine},
            Mirror: {theirs.uuid: theirs},
            Interface: {},
        }
        self.bridge = new(Bridge, "b", name="br-int", ports=frozenset({mine.uuid}), mirrors=frozenset({theirs.uuid}))

    def edits(self, wanted: Iterable[WantedMirror]) -> list[Edit]:
        """What makes the mirrors those wanted."""
        rows = (self.rows[cls] for cls in (Mirror, Port, Interface))
        return list(mirror_edits(self.bridge, *rows, wanted))  # type: ignore[arg-type]

    def become(self, wanted: list[WantedMirror]) -> None:
        """Carry the edits out."""
        for edit in self.edits(wanted):
            match edit:
                case Insert(table, columns, id_):
                    self.rows[table][id_] = new(table, id_, **columns)
                case Update(row, columns):
                    kept = {name: getattr(row, name) for name in type(row).__columns__}
                    self.rows[type(row)][row.uuid] = new(type(row), row.uuid, **{**kept, **columns})
                case Put(row, column, value) | Take(row, column, value):
                    assert row is not None
                    now: frozenset[Uuid] = getattr(self.bridge, column)
                    now = now | value if isinstance(edit, Put) else now - value
                    listed = {"ports": self.bridge.ports, "mirrors": self.bridge.mirrors, column: now}
                    self.bridge = new(Bridge, "b", name="br-int", **listed)
                case _:
                    raise AssertionError(edit)

    def told(self) -> dict[str, tuple[object, ...]]:
        """Name → end and sources of our mirrors on the bridge; of a tunnel, its type and options."""
        found: dict[str, tuple[object, ...]] = {}
        for uuid in self.bridge.mirrors:
            row = self.rows[Mirror][uuid]
            assert isinstance(row, Mirror)
            if row.external_ids == OURS:
                end: object = row.output_port
                if end != END:
                    port = self.rows[Port][Uuid(str(end))]
                    assert isinstance(port, Port)
                    assert port.uuid in self.bridge.ports
                    (interface,) = (self.rows[Interface][each] for each in port.interfaces)
                    assert isinstance(interface, Interface)
                    end = (interface.type, dict(interface.options))
                found[row.name] = (end, row.select_src_port, row.select_dst_port)
        return found


names, filters = st.sampled_from(["m1", "m2"]), st.sampled_from(["from-lport", "to-lport", "both"])
ports = st.frozensets(st.sampled_from(SOURCES), min_size=1)
tunnels = st.builds(
    WantedMirror, names, st.sampled_from(["gre", "erspan"]), filters, st.sampled_from(["1.1.1.1", "2.2.2.2"]),
    st.integers(0, 3), ports, st.none(),
)  # fmt: skip
local = st.builds(WantedMirror, names, st.just("local"), filters, st.just("id"), st.just(-1), ports, st.just(END))
histories = st.lists(st.lists(st.one_of(tunnels, local), max_size=2, unique_by=lambda each: each.name), max_size=4)


@given(histories)
def test_edits_lead_to_what_is_wanted(history: list[list[WantedMirror]]) -> None:
    switch = Switch()
    for wanted in history:
        switch.become(wanted)
        ends = {each.name: each.end or (each.type, each.options) for each in wanted}
        told = {each.name: (ends[each.name], *each.selection().values()) for each in wanted}
        assert switch.told() == told
        assert switch.edits(wanted) == []
        assert len(switch.bridge.ports) == 1 + sum(each.type != "local" for each in wanted)
        assert Uuid("theirs") in switch.bridge.mirrors


def test_options_of_tunnels() -> None:
    assert WantedMirror("m", "gre", "both", "10.0.0.9", 5, frozenset()).options == {"remote_ip": "10.0.0.9", "key": "5"}
    erspan = WantedMirror("m", "erspan", "both", "10.0.0.9", 7, frozenset()).options
    assert erspan == {"remote_ip": "10.0.0.9", "key": "7", "erspan_idx": "7", "erspan_ver": "1"}
