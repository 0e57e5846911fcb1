"""Everything that touches the world: sockets, clocks, files, processes and logs."""
