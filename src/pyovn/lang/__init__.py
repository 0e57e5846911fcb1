"""The logical-flow language: symbols, matches and actions, and what they mean to a switch.

    lexer → match/ (expressions)    → OpenFlow matches, or the truth about one packet
          → actions/ (statements)   → OpenFlow actions

Facts: Logical_Flow in ovn-sb(5).
"""
