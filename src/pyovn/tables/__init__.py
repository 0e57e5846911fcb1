"""Every table of the databases as a typed class, grouped by database and topic."""
