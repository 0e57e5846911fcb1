"""Flows between wires and logical ports: one module per part of the bridge, values in, flows out."""
