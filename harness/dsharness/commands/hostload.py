# SPDX-License-Identifier: GPL-2.0
"""Load the modules into the running kernel from the build tree, unload them, install them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .. import command, options, proc, ui
from ..kernel import build, kernels
from ..sweep import plan as sweep
from ..targets import host, hostlock

RESULTS = Path("/proc/dsbench")
DEBUGFS = Path("/sys/kernel/debug")


def checked_load(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options of `load`. UsageError for a number that is not allowed."""
    options.whole("n", args.n, 1, sweep.MAX_N)
    options.whole("tries", args.tries, 1, sweep.MAX_TRIES)
    return args


def load(args: argparse.Namespace) -> int:
    """Load the core and every container, run them together, and print /proc/dsbench."""
    parameters = [f"n={int(args.n)}", f"tries={int(args.tries)}"]
    host.require()
    hostlock.claim()
    host.require_unloaded()
    modules = build.modules(kernels.find("host")).ko_dir
    # One interleaved run of all containers, instead of a run as each one registers.
    _insert(modules / f"{host.CORE}.ko", *parameters, "autorun=0")
    try:
        for container in sweep.known_containers():
            _insert(modules / f"{host.CORE}_{container}.ko", *parameters)
        _start()
        with ui.step("running"), RESULTS.open(encoding="utf-8") as results:
            text = results.read()
    except BaseException:
        _remove()
        raise
    sys.stdout.write(text)
    ui.say("the modules stay loaded: make unload removes them")
    return 0


def unload(args: argparse.Namespace) -> int:
    """Unload the modules, containers first."""
    if not host.loaded():
        ui.say("no module of dsbench is loaded")
        return 0
    host.require()
    hostlock.claim()
    _remove()
    return 0


def modules_install(args: argparse.Namespace) -> int:
    """Install the modules for the running kernel, where insmod and modprobe find them."""
    host.require()
    hostlock.claim()
    build.install(build.modules(kernels.find("host")), Path("/"))
    ui.say("installed; next: modprobe dsbench n=4000 tries=100 && cat /proc/dsbench")
    return 0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`dsbench load`, `unload` and `modules-install`."""
    parser = subparsers.add_parser("load", help="load the modules into the running kernel, and print the results")
    parser.add_argument("--n", default="500", help="elements (500)")
    parser.add_argument("--tries", default="100", help="tries of each cell (100)")
    command.declare(parser, load, check=checked_load)
    parser = subparsers.add_parser("unload", help="remove the modules from the running kernel")
    command.declare(parser, unload)
    parser = subparsers.add_parser("modules-install", help="install the modules for the running kernel")
    command.declare(parser, modules_install)


def _insert(module: Path, *parameters: str) -> None:
    proc.check(["insmod", module, *parameters], env=proc.build_environment())


def _remove() -> None:
    for name in host.loaded():
        proc.check(["rmmod", name], env=proc.build_environment())


def _start() -> None:
    if not (DEBUGFS / host.CORE).exists():
        proc.check(["mount", "-t", "debugfs", "debugfs", DEBUGFS])
    (DEBUGFS / host.CORE / "run").write_text("1\n", encoding="ascii")
