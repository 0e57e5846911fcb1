"""The command-line tools: command tables and the one interpreter that runs them."""
