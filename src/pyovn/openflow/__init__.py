"""OpenFlow 1.5 with the Nicira extensions: fields, matches, actions, messages, and the ovs-ofctl notation."""
