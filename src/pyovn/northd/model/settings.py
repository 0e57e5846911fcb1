"""What `NB_Global.options` and the chassis say about how flows are to be made."""

from collections.abc import Mapping
from typing import NamedTuple


class Settings(NamedTuple):
    """The options that change flows, with the values they have where nothing is set."""

    answers_for_down_ports: bool = True  #: `ignore_lsp_down`
    drops_by_default: bool = False  #: `default_acl_drop`
    matches_invalid: bool = True  #: `use_ct_inv_match`
    translates_acls: bool = False  #: `acl_ct_translation`


def settings(options: Mapping[str, str]) -> Settings:
    """The settings that the options spell out."""
    return Settings(
        answers_for_down_ports=options.get("ignore_lsp_down") != "false",
        drops_by_default=options.get("default_acl_drop") == "true",
        matches_invalid=options.get("use_ct_inv_match") != "false",
        translates_acls=options.get("acl_ct_translation") == "true",
    )
