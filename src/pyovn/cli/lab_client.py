"""The client of a lab's command socket: sends one command, prints what comes back."""

import json
import socket
import sys
from pathlib import Path


def call(root: str, host: str, words: list[str]) -> int:
    """Run `words` on hypervisor `host` of the lab in directory `root`; returns the exit code."""
    path = Path(root) / "lab.sock"
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError as fault:
            print(f"no lab answers at {path} ({fault.strerror}); `pyovn lab up` starts one", file=sys.stderr)
            return 1
        connection.sendall(json.dumps({"host": host, "words": words}).encode() + b"\n")
        try:
            return relay(connection)
        except KeyboardInterrupt:
            return 130


def relay(connection: socket.socket) -> int:
    """Print the lab's output until it says how the command ended."""
    with connection.makefile("r", encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if "exit" in message:
                return int(message["exit"])
            stream = sys.stdout if "out" in message else sys.stderr
            stream.write(message.get("out") or message.get("err", ""))
            stream.flush()
    print("the lab went away", file=sys.stderr)
    return 1
