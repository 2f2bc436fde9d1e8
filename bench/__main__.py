"""Run every bench and print its table: `python -m bench [name ...]`."""

import importlib
import sys

BENCHES = (
    "house",
    "load",
    "peers",
    "screen",
    "screening",
    "injection",
    "output_checks",
    "seal",
    "records",
    "models",
    "agents",
)


def main() -> int:
    """Run the named benches, or all. Exit 1 when one could not run."""
    failed = []
    for name in sys.argv[1:] or BENCHES:
        print(f"\n== {name}", flush=True)
        try:
            importlib.import_module(f"bench.{name}").main()
        except Exception as error:  # one bench that cannot run must not hide the others
            print(f"could not run: {type(error).__name__}: {error}")
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
