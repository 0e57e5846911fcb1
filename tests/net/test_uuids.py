import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyovn.net.uuids import ZERO, is_uuid, uuid_int, uuid_text


@given(st.uuids())
def test_text_and_number_are_the_standard_librarys(value: uuid.UUID) -> None:
    assert uuid_text(value.int) == str(value)
    assert uuid_int(str(value)) == value.int
    assert is_uuid(str(value))


@pytest.mark.parametrize("text", ["", "x" * 36, ZERO.replace("-", "0"), ZERO.upper().replace("0", "A"), ZERO + "0"])
def test_other_text_is_no_uuid(text: str) -> None:
    assert not is_uuid(text)
