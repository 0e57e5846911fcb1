"""What the databases are to hold against what they do hold; one file per southbound table.

rows      a table whose rows are wanted by key         keys       tunnel keys: requested, kept, allocated
flows     Logical_Flow and Logical_DP_Group            upkeep     NB_Global and SB_Global
tables    Datapath_Binding, Port_Binding, …            northbound what goes back: up, tag
"""
