"""The commands of `ovn-nbctl`, a module per topic."""
