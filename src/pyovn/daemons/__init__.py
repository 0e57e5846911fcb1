"""The long-running programs: each wires a pure core to the runtime."""
