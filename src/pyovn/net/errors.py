"""The root of every error that pyovn raises about its inputs.

    OvnError
    └── Malformed     bytes or text from outside that no reading makes sense of

Packages add a handful of leaves of their own, named for the fault.
"""


class OvnError(Exception):
    """Something that a user, a peer or a file got wrong; its text is fit to be shown."""


class Malformed(OvnError):
    """Outside data that breaks the rules of its format."""
