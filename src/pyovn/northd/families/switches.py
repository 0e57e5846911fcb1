"""The families of switches, and the settings of the whole network."""

from pyovn.incr.engine import Reader, family
from pyovn.net.uuids import Uuid
from pyovn.northd.families.protection import spelling
from pyovn.northd.feature import Origin
from pyovn.northd.model import acl as acls
from pyovn.northd.model import unsupported
from pyovn.northd.model.chassis import common_features
from pyovn.northd.model.datapath import wanted_datapath
from pyovn.northd.model.dynamic import AS_HOST
from pyovn.northd.model.ipam import pool
from pyovn.northd.model.multicast import snooping
from pyovn.northd.model.settings import Settings, settings
from pyovn.northd.model.switch import LOCALNET, PROXY, STATIC, UNKNOWN, VTEP, Switch
from pyovn.northd.model.virtual import is_balanced
from pyovn.northd.relations import (
    ACL_KINDS,
    ATTACHED,
    DATAPATHS,
    FLOWS,
    OWNER,
    POOLS,
    PROBLEMS,
    RESOLVERS,
    ROUTER_PORT,
    SETTINGS,
    SNOOPING,
    SPECIAL,
    SWITCH,
)
from pyovn.northd.rules import RULES
from pyovn.tables.nb import (
    DNS,
    LogicalSwitch,
    NBGlobal,
)
from pyovn.tables.sb import Chassis

Outputs = tuple[object, ...]


@family(over=NBGlobal, emits=[SETTINGS])
def global_settings(db: Reader, uuid: Uuid) -> Outputs:
    """The options that flows depend on, and what the chassis can do."""
    features = common_features(db.table(Chassis))
    options = db.column(NBGlobal, uuid, "options")
    return ((("", settings(options, features)),),)


@family(over=LogicalSwitch, emits=[OWNER, RESOLVERS, DATAPATHS, SNOOPING, POOLS, PROBLEMS])
def switches(db: Reader, uuid: Uuid) -> Outputs:
    """Which ports a switch has, and what the southbound database says about it as a whole."""
    row = db.row(LogicalSwitch, uuid)
    assert row is not None
    owned = tuple([(port, uuid) for port in sorted(row.ports)])
    config = row.other_config
    given, wrong = pool(config)
    problems = [(uuid, f"logical switch {row.name}: {text}") for text in wrong]
    if config:
        problems += unsupported.of_switch(row)
    asked = tuple((each, uuid) for each in sorted(row.dns_records))
    return owned, asked, wanted_datapath(row), snooping(config), given, tuple(problems)


@family(over=LogicalSwitch, emits=[SWITCH])
def switch_views(db: Reader, uuid: Uuid) -> Outputs:
    """What a switch looks like to the rules."""
    row = db.row(LogicalSwitch, uuid)
    assert row is not None
    config = row.other_config
    special = db.look(SPECIAL, uuid)
    guests = len(row.ports) - len(db.look(ATTACHED, uuid))
    localnets = [(name, network) for kind, name, network in special if kind == LOCALNET]
    (chosen,) = db.look(SETTINGS, "")[:1] or (Settings(),)
    kinds = db.look(ACL_KINDS, uuid)
    mixes = config.get("enable-stateless-acl-with-lb") == "true"
    tiers = [max((kind.tier for kind in kinds if kind.place == place), default=0) for place in range(3)]
    return (
        Switch(
            settings=chosen,
            spelling=spelling(db, chosen, row.copp),
            passes_vlans=config.get("vlan-passthru") == "true",
            floods_unknown=any(kind == UNKNOWN for kind, _, _ in special),
            has_vtep=any(kind == VTEP for kind, _, _ in special),
            localnets=tuple(name for name, _ in localnets),
            physical_network=localnets[0][1] if localnets else "",
            only_routers=guests == 0,
            relayed=any(relays for _, relays in db.look(ATTACHED, uuid)),
            announced=any(
                (peer := db.look(ROUTER_PORT, each)) and AS_HOST in peer.redistributes
                for each, _ in db.look(ATTACHED, uuid)
            ),
            proxies=any(kind == PROXY for kind, _, _ in special)
            and any(
                (peer := db.look(ROUTER_PORT, each)) and peer.link and peer.link.proxy
                for each, _ in db.look(ATTACHED, uuid)
            ),
            snoops=config.get("mcast_snoop") == "true",
            floods_unregistered=config.get("mcast_flood_unregistered") == "true",
            has_static=any(kind == STATIC for kind, _, _ in special),
            relays_dhcp="dhcp_relay_port" in config,
            resolves=any(db.column(DNS, each, "records") for each in row.dns_records),
            assigns=db.look(POOLS, uuid) is not None,
            arps_to_all_routers=config.get("broadcast-arps-to-all-routers") != "false",
            filtered=bool(kinds),
            related=any(kind.related for kind in kinds),
            balanced=is_balanced(db, LogicalSwitch, uuid),
            mixes=mixes,
            balances_untracked=mixes and bool(row.load_balancer),
            tiers=(tiers[acls.FROM], tiers[acls.AFTER], tiers[acls.TO]),
        ),
    )


@family(over=LogicalSwitch, emits=[FLOWS])
def switch_flows(db: Reader, uuid: Uuid) -> Outputs:
    """The flows that a switch has whatever its ports."""
    switch = db.look(SWITCH, uuid)
    assert switch is not None
    return (tuple((Origin(uuid, "", source), flows) for source, flows in RULES.for_switch(switch)),)
