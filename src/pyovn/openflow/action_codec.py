"""Actions as bytes, OpenFlow 1.5 with the Nicira extensions: both directions under one name.

encode_actions, decode_actions             a plain list of actions
encode_instructions, decode_instructions   what a flow does
"""

from pyovn.openflow.action_decoder import decode_actions, decode_instructions, properties
from pyovn.openflow.action_encoder import encode_actions, encode_instructions

__all__ = ["decode_actions", "decode_instructions", "encode_actions", "encode_instructions", "properties"]
