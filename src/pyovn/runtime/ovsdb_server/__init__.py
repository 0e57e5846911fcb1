"""The shell around the database server's engine: sockets, files and the clock."""
