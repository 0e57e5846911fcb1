"""Completion of command lines in bash and zsh.

shells     what a shell has to run                   complete   what that runs at every Tab
places     what may stand where the cursor is        choices    which words that are
database   the names that the database has           line       a shell's line, taken apart
"""
