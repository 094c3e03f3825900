# SPDX-License-Identifier: GPL-2.0
"""The compiler of a kernel's modules: the one that built the kernel, or another of its kind that CC or LLVM in the environment names.

`make CC=... plots` and the like put the variables into the environment, too.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .. import proc
from ..errors import HarnessError

GCC, CLANG = "gcc", "clang"
CC, LLVM = VARIABLES = ("CC", "LLVM")
LLVM_TOOLS = ("clang", "ld.lld", "llvm-ar", "llvm-nm", "llvm-objcopy", "llvm-objdump", "llvm-readelf", "llvm-strip")
"""Programs that kbuild starts if LLVM is set."""


@dataclass(frozen=True)
class Compiler:
    """What make needs to be told, and the compiler's program, "" if it is unknown here: inside a build root."""

    arguments: tuple[str, ...]
    program: str


@dataclass(frozen=True)
class _Built:
    """How a kernel was built, by its configuration."""

    name: str
    kind: str
    version: str
    """As the compiler says."""
    major: str
    links_by_lld: bool


def of(kdir: Path, name: str, own_tools: bool = False) -> Compiler:
    """Return the compiler for modules of the kernel `name`, whose build folder is `kdir`.

    With `own_tools` it is that of a build root. HarnessError if it is missing, or if CC or LLVM names one of another kind.
    """
    built = _built(kdir, name)
    if own_tools:
        require_none(name)
        return Compiler((f"CC={CLANG}",) if built.kind == CLANG else (), "")
    cc, llvm = _settings()
    if cc or llvm:
        return _of_user(built, cc, llvm)
    if built.kind == GCC:
        return Compiler((), _which(f"{GCC}-{built.major}") or _which(GCC))
    return _clang(built)


def require_none(name: str) -> None:
    """HarnessError if CC or LLVM names a compiler for modules of the kernel `name`, which has a root of its own."""
    cc, llvm = _settings()
    if cc or llvm:
        raise HarnessError(f"{_said(cc, llvm)}: the modules of {name} are built in a root of its own, with the compiler there: unset {_names(cc, llvm)}")


def require_gcc(what: str) -> None:
    """HarnessError if CC or LLVM names another compiler for a kernel, `what`, that dsbench builds by gcc."""
    cc, llvm = _settings()
    if cc or llvm:
        _of_user(_Built(what, GCC, GCC, "", False), cc, llvm)


def chosen(what: str) -> Compiler:
    """Return the compiler for a kernel, `what`, of the user's: gcc, or what CC or LLVM in the environment names. HarnessError without it."""
    cc, llvm = _settings()
    if cc and not llvm and _is_default(cc):
        cc = ""  # the objects of an earlier build without CC are the same
    if cc or llvm:
        return _of_user(_Built(what, "", "", "", False), cc, llvm)
    if not (program := _which(GCC)):
        raise HarnessError(f"{what} needs a compiler: {GCC} is not here, and neither CC nor LLVM names another one")
    return Compiler((), program)


def _is_default(cc: str) -> bool:
    """Return true if CC is another name of the compiler that is used without it: Debian's gcc is a link to gcc-12."""
    program, default = shutil.which(cc), _which(GCC)
    return bool(program and default) and os.path.realpath(str(program)) == os.path.realpath(default)


def _built(kdir: Path, name: str) -> _Built:
    try:
        text = (kdir / "include/config/auto.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    options = dict(re.findall(r"^CONFIG_(\w+)=(.*)$", text, re.MULTILINE))
    kind = CLANG if options.get("CC_IS_CLANG") == "y" else GCC
    number = options.get(f"{kind.upper()}_VERSION", "")
    major = number[:-4] if number.isdigit() else ""
    return _Built(name, kind, options.get("CC_VERSION_TEXT", kind).strip('"'), major, options.get("LD_IS_LLD") == "y")


def _settings() -> tuple[str, str]:
    """Return CC and LLVM of the environment; "" if they are not set. kbuild takes LLVM=0 as unset, too."""
    cc, llvm = (os.environ.get(name, "").strip() for name in VARIABLES)
    return cc, "" if llvm == "0" else llvm


def _of_user(built: _Built, cc: str, llvm: str) -> Compiler:
    """Return the compiler that the user names. HarnessError if there is none, or if it is of another kind."""
    arguments = []
    program = ""
    if llvm:
        if built.kind == GCC:
            raise _mismatch(f"LLVM={llvm} stands for clang", LLVM, built)
        program = _llvm(llvm)
        arguments.append(f"LLVM={llvm}")
    if cc:
        words = shlex.split(cc)
        if not words or not (program := shutil.which(words[0]) or ""):
            raise HarnessError(f"CC={cc}: there is no such compiler here")
        kind = _kind([program, *words[1:]])
        if built.kind and kind != built.kind:
            raise _mismatch(f"CC={cc} is {kind}", CC, built)
        if kind not in (GCC, CLANG):
            raise HarnessError(f"CC={cc} is {kind}")
        arguments.append(f"CC={shlex.join([program, *words[1:]])}")
    return Compiler(tuple(arguments), program)


def _mismatch(what: str, variable: str, built: _Built) -> HarnessError:
    return HarnessError(
        f"{what}, but {built.name} was built with {built.version}, and a module must be built with the kernel's kind of compiler:"
        f" unset {variable}"
    )


def _kind(argv: list[str]) -> str:
    """Return the kind of a compiler by the macros that it defines. clang defines those of gcc, too."""
    ask = [*argv, "-E", "-P", "-x", "c", "-"]
    try:
        said = subprocess.run(
            ask, input="__clang__ __GNUC__", env=proc.build_environment(), check=False, capture_output=True, encoding="utf-8", errors="replace", timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return "no compiler"
    clang, _, gcc = said.stdout.strip().partition(" ")
    if clang == "1":
        return CLANG
    return GCC if gcc.isdigit() else "no compiler"


def _llvm(value: str) -> str:
    """Return the clang that kbuild's LLVM=`value` stands for: 1, a suffix (-14) or a folder (/opt/llvm/). HarnessError without one."""
    prefix, suffix = (value, "") if value.endswith("/") else ("", value if value.startswith("-") else "")
    found = {tool: _which(f"{prefix}{tool}{suffix}") for tool in LLVM_TOOLS}
    if missing := [f"{prefix}{tool}{suffix}" for tool, program in found.items() if not program]:
        instead = "" if prefix else f": Debian has such programs in clang{suffix}, lld{suffix} and llvm{suffix}"
        raise HarnessError(f"LLVM={value}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not here{instead}")
    return found["clang"]


def _clang(built: _Built) -> Compiler:
    """Return the clang of the kernel's version. HarnessError if it is missing."""
    for suffix in (f"-{built.major}", ""):
        program = _which(f"{CLANG}{suffix}")
        if not program or not suffix and _major(program) != built.major:
            continue
        if not built.links_by_lld:
            return Compiler((f"CC={program}",), program)
        if all(_which(f"{tool}{suffix}") for tool in LLVM_TOOLS):
            return Compiler((f"LLVM={suffix or 1}",), program)
    needed = [f"clang-{built.major}", *([f"lld-{built.major}", f"llvm-{built.major}"] if built.links_by_lld else [])]
    raise HarnessError(
        f"{built.name} was built with {built.version}, which its modules need, too: install {' '.join(needed)},"
        " or name another clang by LLVM or CC"
    )


def _major(program: str) -> str:
    return proc.check([program, "-dumpversion"], env=proc.build_environment()).partition(".")[0]


def _which(program: str) -> str:
    """Return the path of a program that a build finds, "" if there is none."""
    return shutil.which(program, path=proc.build_environment()["PATH"]) or ""


def _said(cc: str, llvm: str) -> str:
    return " ".join(f"{name}={value}" for name, value in zip(VARIABLES, (cc, llvm)) if value)


def _names(cc: str, llvm: str) -> str:
    return " and ".join(name for name, value in zip(VARIABLES, (cc, llvm)) if value)
