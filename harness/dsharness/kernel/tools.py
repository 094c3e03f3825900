# SPDX-License-Identifier: GPL-2.0
"""Builds the C tools of harness/tools, a folder each, into build/.

udptunctl configures udptun tunnels. link_udptun.so is a plugin that makes ip do so; what both need is in the folder udptun.
profile is a plugin of QEMU for exact profiles.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import re
import shlex
import shutil
import sysconfig
from pathlib import Path

from .. import command, locks, packages, paths, proc, ui
from ..errors import HarnessError

SOURCES = paths.HARNESS / "tools"
INCLUDE = paths.ROOT / "include"
SHARED = "udptun"
"""The folder of what udptunctl and the plugin of ip have in common."""
IP_PLUGINS = Path("/usr/lib", sysconfig.get_config_var("MULTIARCH") or "", "ip")
"""Where Debian's ip looks for its plugins."""
MORE_KINDS = ("udptun_rust",)
"""Kinds of devices that the plugin of ip knows besides udptun."""
PLUGIN_FLAGS = ("-fPIC", "-shared", "-fvisibility=hidden")
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wmissing-prototypes", "-Wvla")


def udptunctl() -> Path:
    """Return the tool for udptun tunnels, built if its sources have changed. HarnessError if it does not build."""
    packages.ensure("base", "tunnel")
    return _compiled("udptunctl", (SHARED, "udptunctl"), ("-lmnl",))


def ip_plugin() -> Path:
    """Return the plugin that makes ip know udptun, built if its sources have changed. ip finds it if IP_LIB_DIR is its folder.

    A link to it for each of MORE_KINDS is beside it. HarnessError if it does not build.
    """
    packages.ensure("base", "tunnel")
    plugin = _compiled("link_udptun.so", (SHARED, "link_udptun"), (*PLUGIN_FLAGS, "-lmnl"))
    for link in ip_plugin_links(plugin):
        with contextlib.suppress(FileExistsError):
            link.symlink_to(plugin.name)
    return plugin


def ip_plugin_links(plugin: Path) -> list[Path]:
    """Return the links to the plugin, one for each of MORE_KINDS: ip looks for link_KIND.so."""
    return [plugin.with_name(f"link_{kind}.so") for kind in MORE_KINDS]


def profile_plugin(interface: int) -> Path:
    """Return the profile plugin for a version of QEMU's plugin interface. HarnessError if it does not build."""
    packages.ensure("base")
    return _compiled(f"profile-{interface}.so", ("profile",), (f"-DPROFILE_API={interface}", *PLUGIN_FLAGS))


def _compiled(product: str, folders: tuple[str, ...], options: tuple[str, ...]) -> Path:
    program = paths.make_folder(paths.BUILD, "build") / product
    with locks.held(program.with_name(f".{product}.lock"), f"it builds {product}"):
        _compile(program, folders, options)
    return program


def _compile(program: Path, folders: tuple[str, ...], options: tuple[str, ...]) -> None:
    """Build `program` from these folders, unless it was built from the present content of its sources. `options` end the command."""
    name = program.stem
    own = [file for folder in folders for file in sorted((SOURCES / folder).glob("*.[ch]"))]
    ingredients = [*own, *sorted((INCLUDE / "uapi").rglob("*.h"))]
    recipe = "\n".join([*FLAGS, *options, *(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in ingredients)])
    mark = program.with_name(f".{program.name}.recipe")
    if program.exists() and mark.exists() and mark.read_text(encoding="utf-8") == recipe:
        return
    mark.unlink(missing_ok=True)
    fresh = program.with_suffix(".new")
    log = paths.logs() / f"{name}.log"
    log.unlink(missing_ok=True)
    sources = [file for file in own if file.suffix == ".c"]
    argv: list[proc.Arg] = ["gcc", *FLAGS, "-I", INCLUDE, "-I", SOURCES / SHARED, "-o", fresh, *sources, *options]
    with ui.step(f"building {name}"):
        result = proc.stream(argv, env=proc.build_environment(), log=log)
    said = log.read_text(encoding="utf-8", errors="replace").splitlines()
    complaints = [line for line in said if re.search(r"\b(warning|error|undefined)\b", line)]
    if result.status:
        raise HarnessError(f"{name} does not build (log: {log}): {(complaints or [result.last])[0]}")
    for line in complaints:
        ui.say(line)
    shutil.move(fresh, program)
    mark.write_text(recipe, encoding="utf-8")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench tools`."""
    parser = subparsers.add_parser("tools", help="build udptunctl, the tool for tunnels, and ip's plugin", description=__doc__)
    command.declare(parser, run)


def run(args: argparse.Namespace) -> int:
    """Build the tools, and print where they are. Return the exit status."""
    program = udptunctl()
    plugin = ip_plugin()
    ui.say(f"ip knows udptun with IP_LIB_DIR={shlex.quote(str(plugin.parent))}, or with {plugin.name} in {IP_PLUGINS}")
    ui.say(f"the manual of udptunctl: man {shlex.quote(str(SOURCES / 'udptunctl' / 'udptunctl.8'))}")
    print(program)
    return 0
