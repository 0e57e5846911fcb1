"""What `NB_Global.options` says about how flows are to be made."""

from collections.abc import Mapping
from typing import NamedTuple

from pyovn.northd.model.options import number
from pyovn.northd.pipeline import DROP


class Settings(NamedTuple):
    """The options that change flows, with the values they have where nothing is set."""

    answers_for_down_ports: bool = True  #: `ignore_lsp_down`
    saves_state: bool = False  #: all chassis can `ct_state_save`
    commits_to_zone: bool = False  #: all chassis can `ct_commit_to_zone` and `ct_next` of a zone
    drop: str = DROP  #: how packets are dropped; `debug_drop_collector_set` wants a sample of each


def settings(options: Mapping[str, str], features: Mapping[str, bool]) -> Settings:
    """The settings that the options spell out, with what the chassis can do."""
    return Settings(
        answers_for_down_ports=options.get("ignore_lsp_down") != "false",
        saves_state=features.get("ct_state_save", False),
        commits_to_zone=features.get("ct_commit_to_zone", False) and features.get("ct_next_zone", False),
        drop=drop(options),
    )


def drop(options: Mapping[str, str]) -> str:
    """The action that drops a packet."""
    collectors, domain = (number(options.get(f"debug_drop_{name}")) or 0 for name in ("collector_set", "domain_id"))
    if collectors == 0:
        return DROP
    sample = f"probability=65535,collector_set={collectors},obs_domain={domain},obs_point=$cookie"
    return f"sample({sample}); /* drop */"
