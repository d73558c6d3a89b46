"""Lists the measurements and runs them: all of them, or those that are named. Options belong to a single one."""

import importlib
import pkgutil
import sys

import benchmarks


def main(asked: list[str]) -> int:
    """Run what was asked for, or everything. Gives the exit status: 2 for wrong usage."""
    first = next((number for number, word in enumerate(asked) if word.startswith("-")), len(asked))
    asked, options = asked[:first], asked[first:]
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")]
    if unknown := [name for name in asked if name not in names]:
        sys.stderr.write(f"no measurement {unknown[0]}; there are: {', '.join(names)}\n")
        return 2
    if options and asked not in (["scaling"], ["speed"]):
        sys.stderr.write("`scaling` and `speed` alone have options: python -m benchmarks speed --help\n")
        return 2
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    for name, module in modules.items():
        sys.stdout.write(f"{name}: {(module.__doc__ or '').splitlines()[0]}\n")
    for name in asked or names:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        modules[name].main(*options)
    return 0


sys.exit(main(sys.argv[1:]))
