"""The chassis controller: southbound rows and the local switch in, flows and row changes out.

    settings → chassis, bridge, tunnels, patches        rows to write
    binding → datapaths → zones                         what is local
    physical/, logical                                  wanted flows
    reconcile                                           wanted against installed
    services/                                           packets the switch asks about

Everything here is a pure function of rows and values; `daemons.controller` has the sockets.
"""
