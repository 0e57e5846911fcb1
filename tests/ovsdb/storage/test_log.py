"""The log format: what is built is read, and nothing damaged is."""

from hypothesis import given
from hypothesis import strategies as st

from pyovn.ovsdb.storage.log import Damage, Record, build, scan

bodies = st.lists(st.binary(max_size=50).filter(lambda body: b"\n" not in body), max_size=5)


@given(bodies)
def test_records_are_read_as_they_were_built(bodies: list[bytes]) -> None:
    file = b"".join(map(build, bodies))
    records = list(scan(file))
    assert [record.json for record in records if isinstance(record, Record)] == [body + b"\n" for body in bodies]
    assert not records or records[-1].end == len(file)  # type: ignore[union-attr]


@given(bodies, st.data())
def test_a_file_cut_anywhere_gives_the_records_that_are_whole(bodies: list[bytes], data: st.DataObject) -> None:
    file = b"".join(map(build, bodies))
    cut = data.draw(st.integers(0, len(file)))
    ends = [0, *(record.end for record in scan(file) if isinstance(record, Record))]
    whole = max(end for end in ends if end <= cut)
    found = list(scan(file[:cut]))
    assert sum(isinstance(each, Record) for each in found) == ends.index(whole)
    assert [each.offset for each in found if isinstance(each, Damage)] == ([whole] if cut > whole else [])


@given(bodies.filter(bool), st.data())
def test_a_flipped_bit_is_found(bodies: list[bytes], data: st.DataObject) -> None:
    file = bytearray(b"".join(map(build, bodies)))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= 1 << data.draw(st.integers(0, 7))
    damage = [each for each in scan(bytes(file)) if isinstance(each, Damage)]
    assert len(damage) == 1
    assert damage[0].offset <= at


def test_the_damage_says_what_was_expected() -> None:
    good = build(b"{}")
    (_, damage) = scan(good + b"garbage\n")
    assert damage == Damage(len(good), f'parse error at offset {len(good)} in header line "garbage"')
