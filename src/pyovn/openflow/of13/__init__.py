"""OpenFlow 1.3 and 1.4, as a switch speaks them: what differs from OpenFlow 1.5, which they lead up to.

actions     constants for parts of fields are loads, copies are Nicira's, meters are instructions
statistics  entries of replies, and buckets
codec       messages: `OpenFlow13`, `OpenFlow14`
"""
