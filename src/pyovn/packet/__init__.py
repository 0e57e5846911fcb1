"""Packets: one file per protocol, parse and build, nothing else."""
