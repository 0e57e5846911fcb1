"""Runs measurements by name, or all of them."""

import importlib
import pkgutil
import sys
from pathlib import Path

from bench import table


def main(names: list[str]) -> int:
    known = sorted(each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)]) if each.name != "__main__")
    if unknown := [name for name in names if name not in known]:
        print(f"no such measurement: {', '.join(unknown)} (there are {', '.join(known)})", file=sys.stderr)
        return 2
    for name in names or known:
        print(f"{name}", flush=True)
        figures = importlib.import_module(f"bench.{name}").main()
        if figures is not None:
            print(table(figures))
        print(flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
