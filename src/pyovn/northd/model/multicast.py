"""Multicast snooping, as `Logical_Switch.other_config:mcast_*` asks for it."""

from collections.abc import Mapping

from pyovn.northd.relations import Snooping

IDLE_TIMEOUT = (15, 300, 3600)  #: least, usual, most; seconds
QUERY_INTERVAL = (1, 3600)
USUAL_RESPONSE = 1
USUAL_TABLE_SIZE = 2048
ANY = (0, 2**31 - 1)


def snooping(config: Mapping[str, str]) -> Snooping:
    """What the options come to, with every value in its range."""
    idle = within(config.get("mcast_idle_timeout"), *IDLE_TIMEOUT)
    low, high = QUERY_INTERVAL
    return Snooping(
        enabled=config.get("mcast_snoop") == "true",
        querier=config.get("mcast_querier") != "false",
        eth_src=config.get("mcast_eth_src", ""),
        ip4_src=config.get("mcast_ip4_src", ""),
        ip6_src=config.get("mcast_ip6_src", ""),
        table_size=within(config.get("mcast_table_size"), ANY[0], USUAL_TABLE_SIZE, ANY[1]),
        idle_timeout=idle,
        query_interval=within(config.get("mcast_query_interval"), low, idle // 2, high),
        query_max_resp=within(config.get("mcast_query_max_response"), ANY[0], USUAL_RESPONSE, ANY[1]),
    )


def within(text: str | None, least: int, usual: int, most: int) -> int:
    """The number in an option, not beyond its range; `usual` where there is none."""
    value = int(text) if text and text.isascii() and text.isdigit() else usual
    return min(max(value, least), most)
