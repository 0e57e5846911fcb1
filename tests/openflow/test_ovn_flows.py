"""What C ovn-controller installs goes through text and bytes and comes out the same."""

from pathlib import Path

import pytest

from pyovn.openflow import codec, text
from pyovn.openflow import messages as m

FILE = Path(__file__).parent / "ovn-controller.flows"
LINES = [line for line in FILE.read_text().splitlines() if not line.startswith("#")]
#: the one place where the C program shows a mask that takes in the whole field
SAME = ("set_field:10/0x3f->ip_dscp", "set_field:10->ip_dscp")


@pytest.mark.parametrize("line", LINES)
def test_text_and_bytes_keep_the_flow(line: str) -> None:
    flow = text.parse_flow(line)
    assert text.format_flow(flow) == line.replace(*SAME)
    assert codec.decode(codec.encode(m.add_flow(flow))) == (m.add_flow(flow), 0)
    assert not any(action.kind == "unknown" for action in flow.actions)
