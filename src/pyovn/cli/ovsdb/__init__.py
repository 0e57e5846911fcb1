"""The commands of `ovsdb-client` and `ovsdb-tool`: databases seen raw, over a connection or in a file.

call      commands and their words           server     which server, which database
schemas   what a database looks like         contents   dump, transact, query
monitor   contents as they change            locks      lock, steal, unlock
upkeep    backup, restore, convert, wait     files      schemas and database files
history   show-log                           offline    database files without a server
"""
