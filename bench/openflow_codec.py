"""How fast flows become bytes and bytes flows: CPU seconds for 100,000 flow-mods, and a real switch beside it.

encode            flow → flow-mod in a bundle          what a controller does at start
decode            flow-mod → flow                      what a switch does then
read back         flow statistics → flows              what a controller does after a restart
to a real switch  encode + send + commit + barrier     with ovs-ofctl doing the same beside it
"""

import asyncio
import gc
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pyovn.openflow import action_decoder, action_encoder, codec, oxm, text
from pyovn.openflow import messages as m
from pyovn.openflow.actions import Resubmit, SetField
from pyovn.openflow.flows import Flow, FlowStats
from pyovn.openflow.match import match
from pyovn.runtime.openflow import OpenFlowClient

N = 100_000


def flows(n: int = N) -> list[Flow]:
    """Flows like those of logical switches with port security: distinct matches, actions that recur."""
    made = []
    for number in range(n):
        wanted = match(
            metadata=number // 100 + 1,
            reg14=number % 100 + 1,
            eth_src=0x0A0000000000 + number,
            eth_type=0x800,
            ip_src=0x0A000000 + number,
        )
        doing = (SetField("reg10", 0x1000, 0x1000), SetField("reg15", number % 100, 0xFFFFFFFF), Resubmit(9))
        made.append(Flow(8, 90, wanted, doing, number))
    return made


def cpu(work: Callable[[], object]) -> tuple[float, object]:
    """CPU seconds of `work`, and what it gave."""
    gc.collect()
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def forget() -> None:
    """Start with empty memories, as a fresh process does."""
    for memory in (oxm._ENCODED, oxm._DECODED, action_encoder._ACTION_BYTES, action_encoder._INSTRUCTION_BYTES):
        memory.clear()
    action_decoder._DECODED.clear()


def encode(some: list[Flow]) -> list[bytes]:
    """All flows as bundle-adds."""
    return [codec.encode_bundle_add(1, 3, m.FlowMod(m.ADD, flow), xid) for xid, flow in enumerate(some)]


def decode(raw: bytes) -> list[object]:
    """All messages."""
    return [codec.decode(one) for one in codec.split(raw)]


def in_memory(some: list[Flow]) -> None:
    """Without a switch."""
    forget()
    for label in ("encode", "encode again"):
        seconds, messages = cpu(lambda: encode(some))
        print(f"  {label:<20}{seconds:8.3f} s CPU")
    assert isinstance(messages, list)
    raw = b"".join(messages)
    seconds, _ = cpu(lambda: decode(raw))
    print(f"  {'decode':<20}{seconds:8.3f} s CPU   {len(raw) / 1e6:.1f} MB")
    reply = codec.encode(m.MultipartReply("flow", tuple(map(FlowStats, some))))
    seconds, _ = cpu(lambda: decode(reply))
    print(f"  {'read back':<20}{seconds:8.3f} s CPU   {len(reply) / 1e6:.1f} MB")
    seconds, _ = cpu(lambda: [text.format_flow(flow) for flow in some])
    print(f"  {'print':<20}{seconds:8.3f} s CPU")


async def send(remote: str, some: list[Flow]) -> None:
    """All flows into a real switch."""
    async with OpenFlowClient(remote) as client:
        await client.bundle([m.delete_all_flows(), *(m.FlowMod(m.ADD, flow) for flow in some)])
        await client.barrier()


def beside_ovs_ofctl(some: list[Flow]) -> None:
    """The same flows into a real switch, ours and the C program's way; wall-clock, the switch's work included."""
    from tests.support.real_ovs import RealSwitch

    with tempfile.TemporaryDirectory() as tmp, RealSwitch() as switch:
        switch.add_bridge("br0")
        lines = Path(tmp) / "flows"
        lines.write_text("\n".join(text.format_flow(flow).replace(" actions=", ",actions=") for flow in some))
        start = time.monotonic()
        asyncio.run(send(switch.mgmt("br0"), some))
        ours = time.monotonic() - start
        command = [switch.programs["ovs-ofctl"], "-O", "OpenFlow15", "--bundle", "replace-flows", switch.mgmt("br0")]
        switch.ofctl("del-flows", "br0")
        start = time.monotonic()
        subprocess.run([*command, str(lines)], check=True, env=switch.environment)
        theirs = time.monotonic() - start
        print(f"  {'to a real switch':<20}{ours:8.3f} s       ovs-ofctl {theirs:.3f} s   ratio {ours / theirs:.2f}")


def main() -> None:
    """Print the measurements."""
    some = flows()
    print(f"OpenFlow, {len(some):,} flows")
    in_memory(some)
    try:
        beside_ovs_ofctl(some)
    except BaseException as missing:
        if type(missing).__name__ != "Skipped":
            raise
        print(f"  to a real switch: {missing}")


if __name__ == "__main__":
    main()
