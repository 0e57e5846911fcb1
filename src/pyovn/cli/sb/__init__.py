"""The commands of `ovn-sbctl`, a module per topic."""
