"""What `NB_Global.options` says about how flows are to be made."""

from collections.abc import Mapping
from string import hexdigits
from typing import NamedTuple

from pyovn.northd.model.options import number
from pyovn.northd.pipeline import DROP


class Settings(NamedTuple):
    """The options that change flows, with the values they have where nothing is set."""

    answers_for_down_ports: bool = True  #: `ignore_lsp_down`
    saves_state: bool = False  #: all chassis can `ct_state_save`
    commits_to_zone: bool = False  #: all chassis can `ct_commit_to_zone` and `ct_next` of a zone
    mac_prefix: str = ""  #: the first half of MACs that are given away
    common_zone: bool = False  #: `use_common_zone`: both ways of NAT in one zone of conntrack
    drop: str = DROP  #: how packets are dropped; `debug_drop_collector_set` wants a sample of each
    drops_by_default: bool = False  #: `default_acl_drop`: what no ACL matches is dropped
    watches_hops: bool = False  #: `ecmp_nexthop_monitor_enable`: MACs of next hops with symmetric reply are watched
    tells: bool = False  #: `controller_event`: load balancers without backends tell of connections
    trusts_invalid: bool = True  #: `use_ct_inv_match`
    translates_fragments: bool = False  #: `acl_ct_translation`

    @property
    def drop_after(self) -> str:
        """How packets are dropped after other actions, where the drop is implied."""
        return "/* drop */" if self.drop == DROP else self.drop


def settings(options: Mapping[str, str], features: Mapping[str, bool]) -> Settings:
    """The settings that the options spell out, with what the chassis can do."""
    return Settings(
        answers_for_down_ports=options.get("ignore_lsp_down") != "false",
        saves_state=features.get("ct_state_save", False),
        commits_to_zone=features.get("ct_commit_to_zone", False) and features.get("ct_next_zone", False),
        mac_prefix=mac_prefix(options.get("mac_prefix", "")),
        common_zone=options.get("use_common_zone") == "true",
        drop=drop(options),
        drops_by_default=options.get("default_acl_drop") == "true",
        watches_hops=options.get("ecmp_nexthop_monitor_enable") == "true",
        tells=options.get("controller_event") == "true",
        trusts_invalid=options.get("use_ct_inv_match") != "false",
        translates_fragments=options.get("acl_ct_translation") == "true",
    )


def mac_prefix(text: str) -> str:
    """The three octets of a prefix, in lower case; none where it is none."""
    parts = text.split(":")
    if len(parts) != 3 or not all(len(part) == 2 and set(part) <= set(hexdigits) for part in parts):
        return ""
    return text.lower()


def drop(options: Mapping[str, str]) -> str:
    """The action that drops a packet."""
    collectors, domain = (number(options.get(f"debug_drop_{name}")) or 0 for name in ("collector_set", "domain_id"))
    if collectors == 0:
        return DROP
    sample = f"probability=65535,collector_set={collectors},obs_domain={domain},obs_point=$cookie"
    return f"sample({sample}); /* drop */"
