"""`pyovn completion bash|zsh`: prints what a shell has to run to complete the tools' commands."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = ("bash", "zsh")
HELP = """\
usage: pyovn completion {bash|zsh}

Prints what makes a shell complete ovn-nbctl, ovn-sbctl and ovs-vsctl: commands, options, tables, columns, and the
names of switches, ports, routers and all else that the database has.  To have it in every shell:

  bash    echo 'eval "$(pyovn completion bash)"' >> ~/.bashrc
  zsh     echo 'eval "$(pyovn completion zsh)"' >> ~/.zshrc       after the line with compinit
"""


def main(words: "Sequence[str] | None" = None) -> int:
    """Print what a shell has to run."""
    words = sys.argv[1:] if words is None else words
    if len(words) != 1 or words[0] not in SHELLS:
        sys.stderr.write(HELP)
        return 0 if set(words) & {"-h", "--help"} else 2
    with open(os.path.join(os.path.dirname(__file__), f"ovn.{words[0]}"), encoding="utf-8") as script:
        sys.stdout.write(script.read())
    return 0
