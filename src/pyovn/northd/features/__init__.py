"""The features of logical switches, one file each; a new one is listed in `FEATURES` below."""

from pyovn.northd.features import (
    acl,
    admission,
    arp_responder,
    conntrack,
    defaults,
    external,
    fdb,
    lookup,
    multicast,
    network_function,
    shaping,
    virtual,
    vtep,
)

FEATURES = (
    defaults.feature,
    admission.feature,
    shaping.feature,
    fdb.feature,
    conntrack.feature,
    acl.feature,
    network_function.feature,
    vtep.feature,
    arp_responder.feature,
    virtual.feature,
    external.feature,
    lookup.feature,
    multicast.feature,
)
