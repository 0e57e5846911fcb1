"""The commands of `ovs-vsctl`, a module per topic."""
