"""The frame that `ovn-nbctl`, `ovn-sbctl` and `ovs-vsctl` share.

argv ─ options ─▶ calls ─ program ─▶ view (rows, with edits not yet committed) ─ transaction ─▶ output
                            │
                            └ command rows: name, synopsis, options, what they read, function
"""
