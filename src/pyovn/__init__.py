"""Open Virtual Network in Python."""
