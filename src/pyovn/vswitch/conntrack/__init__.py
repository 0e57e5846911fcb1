"""Connection tracking with address translation, as Open vSwitch's userspace datapath does it."""
