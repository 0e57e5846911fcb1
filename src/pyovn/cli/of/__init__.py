"""`ovs-ofctl` by topic: what a switch is asked, what is changed in it, what it says unasked."""
