"""The action language: one file per family of actions.

    text ─parse→ actions ─encode(env)→ OpenFlow actions
                   ├─text→ canonical text
                   └─prerequisites→ what the flow's match must say too

A family has small frozen classes with four verbs (`__str__`, `needs`, `encode`, and a parse function listed
in `STATEMENTS` or `RESULTS`).  A new action is one such class; `parse.py` names the families.
"""

from pyovn.lang.actions.env import LENGTHS, Action, Actions, Env, MeterRequest, Pipeline, Tables, encode, text
from pyovn.lang.actions.parse import parse
from pyovn.lang.actions.prerequisites import prerequisites

__all__ = [
    "LENGTHS",
    "Action",
    "Actions",
    "Env",
    "MeterRequest",
    "Pipeline",
    "Tables",
    "encode",
    "parse",
    "prerequisites",
    "text",
]
