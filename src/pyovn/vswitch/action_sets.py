"""Action sets: actions that are executed once, at the end, in OpenFlow's order."""

from pyovn.openflow.actions import Action, Actions, SetField

#: the order in which an action set is executed (OpenFlow 1.5 §5.6)
_SET_ORDER = (
    "pop_vlan", "pop_mpls", "push_mpls", "push_vlan", "dec_ttl", "dec_mpls_ttl", "set_mpls_ttl", "move", "set_field",
    "set_queue",
)  # fmt: skip
_SET_LAST = ("group", "output", "resubmit", "ct", "controller")


def set_slot(action: Action) -> tuple[str, str]:
    """Actions of one slot replace each other in an action set."""
    return action.kind, action.field if isinstance(action, SetField) else ""


def ordered(actions: Actions) -> Actions:
    """The actions of a set in the order of execution; kinds that OpenFlow gives no place stay where they are."""
    if all(action.kind not in _SET_ORDER for action in actions):
        return actions

    def rank(action: Action) -> int:
        if action.kind in _SET_ORDER:
            return _SET_ORDER.index(action.kind)
        return len(_SET_ORDER) + (_SET_LAST.index(action.kind) + 1 if action.kind in _SET_LAST else 0)

    return tuple(sorted(actions, key=rank))
