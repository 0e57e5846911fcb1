"""The lab: central, hypervisors and guests in one process, without root."""
