"""OpenFlow 1.0 with Nicira's extensions, as a switch speaks it: what `ovs-ofctl` uses unless told otherwise.

The values are those of OpenFlow 1.5; here are only the bytes that differ.

    match       fixed form and NXM
    actions     both directions
    statistics  requests in, replies out
    codec       messages: `OpenFlow10`, one per connection, for it remembers what a controller has chosen
"""
