"""Packet-in services: one file for each thing that a switch asks the controller to do; `dispatch` lists them."""
