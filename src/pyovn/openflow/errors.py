"""What goes wrong between a controller and a switch, with OpenFlow's numbers and names.

Malformed ── BadMessage        bytes we cannot make sense of, and the error message that says so
OvnError ─── Refused           the peer refused a message of ours
"""

from pyovn.net.errors import Malformed, OvnError

HELLO_FAILED, BAD_REQUEST, BAD_ACTION, BAD_INSTRUCTION, BAD_MATCH, FLOW_MOD_FAILED = range(6)
GROUP_MOD_FAILED, PORT_MOD_FAILED, TABLE_MOD_FAILED, QUEUE_OP_FAILED, SWITCH_CONFIG_FAILED = range(6, 11)
ROLE_REQUEST_FAILED, METER_MOD_FAILED, TABLE_FEATURES_FAILED, BAD_PROPERTY, ASYNC_CONFIG_FAILED = range(11, 16)
FLOW_MONITOR_FAILED, BUNDLE_FAILED, EXPERIMENTER = 16, 17, 0xFFFF

_SERIES: dict[int, tuple[str, str]] = {
    HELLO_FAILED: ("OFPHFC", "INCOMPATIBLE EPERM"),
    BAD_REQUEST: (
        "OFPBRC",
        "BAD_VERSION BAD_TYPE BAD_MULTIPART BAD_EXPERIMENTER BAD_EXP_TYPE EPERM BAD_LEN BUFFER_EMPTY BUFFER_UNKNOWN "
        "BAD_TABLE_ID IS_SLAVE BAD_PORT BAD_PACKET MULTIPART_BUFFER_OVERFLOW MULTIPART_REQUEST_TIMEOUT "
        "MULTIPART_REPLY_TIMEOUT MULTIPART_BAD_SCHED PIPELINE_FIELDS_ONLY UNKNOWN",
    ),
    BAD_ACTION: (
        "OFPBAC",
        "BAD_TYPE BAD_LEN BAD_EXPERIMENTER BAD_EXP_TYPE BAD_OUT_PORT BAD_ARGUMENT EPERM TOO_MANY BAD_QUEUE "
        "BAD_OUT_GROUP MATCH_INCONSISTENT UNSUPPORTED_ORDER BAD_TAG BAD_SET_TYPE BAD_SET_LEN BAD_SET_ARGUMENT "
        "BAD_SET_MASK BAD_METER",
    ),
    BAD_INSTRUCTION: (
        "OFPBIC",
        "UNKNOWN_INST UNSUP_INST BAD_TABLE_ID UNSUP_METADATA UNSUP_METADATA_MASK BAD_EXPERIMENTER BAD_EXP_TYPE "
        "BAD_LEN EPERM DUP_INST",
    ),
    BAD_MATCH: (
        "OFPBMC",
        "BAD_TYPE BAD_LEN BAD_TAG BAD_DL_ADDR_MASK BAD_NW_ADDR_MASK BAD_WILDCARDS BAD_FIELD BAD_VALUE BAD_MASK "
        "BAD_PREREQ DUP_FIELD EPERM",
    ),
    FLOW_MOD_FAILED: (
        "OFPFMFC",
        "UNKNOWN TABLE_FULL BAD_TABLE_ID OVERLAP EPERM BAD_TIMEOUT BAD_COMMAND BAD_FLAGS CANT_SYNC "
        "BAD_PRIORITY IS_SYNC",
    ),
    GROUP_MOD_FAILED: (
        "OFPGMFC",
        "GROUP_EXISTS INVALID_GROUP WEIGHT_UNSUPPORTED OUT_OF_GROUPS OUT_OF_BUCKETS CHAINING_UNSUPPORTED "
        "WATCH_UNSUPPORTED LOOP UNKNOWN_GROUP CHAINED_GROUP BAD_TYPE BAD_COMMAND BAD_BUCKET BAD_WATCH EPERM "
        "UNKNOWN_BUCKET BUCKET_EXISTS",
    ),
    PORT_MOD_FAILED: ("OFPPMFC", "BAD_PORT BAD_HW_ADDR BAD_CONFIG BAD_ADVERTISE EPERM"),
    TABLE_MOD_FAILED: ("OFPTMFC", "BAD_TABLE BAD_CONFIG EPERM"),
    QUEUE_OP_FAILED: ("OFPQOFC", "BAD_PORT BAD_QUEUE EPERM"),
    SWITCH_CONFIG_FAILED: ("OFPSCFC", "BAD_FLAGS BAD_LEN EPERM"),
    ROLE_REQUEST_FAILED: ("OFPRRFC", "STALE UNSUP BAD_ROLE ID_UNSUP ID_IN_USE"),
    METER_MOD_FAILED: (
        "OFPMMFC",
        "UNKNOWN METER_EXISTS INVALID_METER UNKNOWN_METER BAD_COMMAND BAD_FLAGS BAD_RATE BAD_BURST BAD_BAND "
        "BAD_BAND_VALUE OUT_OF_METERS OUT_OF_BANDS",
    ),
    TABLE_FEATURES_FAILED: ("OFPTFFC", "BAD_TABLE BAD_METADATA - - - BAD_FEATURES"),
    BAD_PROPERTY: (
        "OFPBPC",
        "BAD_TYPE BAD_LEN BAD_VALUE TOO_MANY DUP_TYPE BAD_EXPERIMENTER BAD_EXP_TYPE BAD_EXP_VALUE EPERM",
    ),
    ASYNC_CONFIG_FAILED: ("OFPACFC", "INVALID UNSUPPORTED EPERM"),
    BUNDLE_FAILED: (
        "OFPBFC",
        "UNKNOWN EPERM BAD_ID BUNDLE_EXIST BUNDLE_CLOSED OUT_OF_BUNDLES BAD_TYPE BAD_FLAGS MSG_BAD_LEN MSG_BAD_XID "
        "MSG_UNSUP MSG_CONFLICT MSG_TOO_MANY MSG_FAILED TIMEOUT BUNDLE_IN_PROGRESS",
    ),
}

#: (type, code) → name
NAMES: dict[tuple[int, int], str] = {
    (kind, code): f"{prefix}_{word}"
    for kind, (prefix, words) in _SERIES.items()
    for code, word in enumerate(words.split())
    if word != "-"
}
#: name → (type, code)
CODES: dict[str, tuple[int, int]] = {name: numbers for numbers, name in NAMES.items()}


def error_name(kind: int, code: int) -> str:
    """The name of an error, or its numbers."""
    return NAMES.get((kind, code), f"type {kind}, code {code}")


class BadMessage(Malformed):
    """A message we cannot act on; `name` is what the peer gets to hear."""

    def __init__(self, name: str, why: str = "") -> None:
        """`name` is an error's name such as OFPBMC_BAD_FIELD."""
        super().__init__(name, why)
        self.name = name
        self.why = why

    @property
    def numbers(self) -> tuple[int, int]:
        """(type, code) of the error message."""
        return CODES[self.name]

    def __str__(self) -> str:
        """Name, and why if known."""
        return f"{self.name}: {self.why}" if self.why else self.name


class Refused(OvnError):
    """The peer answered a message of ours with an error."""

    def __init__(self, kind: int, code: int, data: bytes = b"") -> None:
        """`data` begins with the message that was refused, where the peer says so."""
        super().__init__(kind, code, data)
        self.kind, self.code, self.data = kind, code, data

    @property
    def name(self) -> str:
        """The error's name."""
        return error_name(self.kind, self.code)

    def __str__(self) -> str:
        """The error's name."""
        return self.name
