"""Proofs: that no packet at all can get from some ports to others, or one that does.

    space     a set of packets: what is known of each header field, bit by bit, and what it is not
    decide    a match on such a set: the part that matches, and the part that does not
    explore   such a set through the logical flows of a network, to every port where a part of it comes out
    claim     "from these ports nobody can open a connection to those": proved, refuted by a packet, or not decided

A trace follows one packet; this follows all of them at once.  What is not modelled exactly is modelled as "anything",
so that a proof holds; a packet that refutes is traced before it is shown.
"""
