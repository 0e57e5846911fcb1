"""OVN's services on one machine, as `ovn-ctl` starts and stops them.

settings    options and their defaults         processes   start, stop, status of a daemon
databases   database files and their servers   programs    ovn-northd, ovn-controller
roles       active and backup servers          clusters    members of clusters       relay   the southbound relay
"""
