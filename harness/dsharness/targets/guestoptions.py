# SPDX-License-Identifier: GPL-2.0
"""What the user may choose of a guest: its memory, parameters of its kernel, and modules of its kernel's package."""

from __future__ import annotations

import argparse
import re
import shlex
from dataclasses import dataclass

from .. import options
from ..errors import UsageError

LEAST_MIB, MOST_MIB = 128, 1 << 20
UNITS = {"M": 1, "G": 1 << 10, "T": 1 << 20}
MOST_LETTERS = 1000
"""A kernel's command line has 2048 bytes on x86."""

OWN_PARAMETERS = re.compile(
    r"init|rdinit|root|rootfstype|rootflags|ro|rw|initrd|mem|con\d*|ssl\d*|console|umid|uml_dir|panic|oops|DSBENCH_JOB"
)
"""Parameters by which dsbench boots, watches and ends a guest."""

_SIZE = re.compile(r"([1-9][0-9]{0,6})([MGT])", re.IGNORECASE)
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(?:=[ -~]*)?")
_MODULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class GuestOptions:
    """The choices, checked. None and empty ones are the target's defaults."""

    memory_mib: int | None = None
    parameters: tuple[str, ...] = ()
    """Each as the kernel's command line has it: a value with blanks is in double quotes."""
    modules: tuple[str, ...] = ()
    """Names of modules that modprobe finds in the guest."""

    def refuse(self, target: str) -> None:
        """UsageError for a choice that this target does not have."""
        if target == "host":
            for option, given in (("memory", self.memory_mib), ("append", self.parameters), ("module", self.modules)):
                if given:
                    raise UsageError(f"--{option} is for guests: target host is the running kernel, as it is")
        if target == "uml" and self.modules:
            raise UsageError(f"--module {self.modules[0]} is for target qemu: uml's kernel has no package with further modules")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of GuestOptions, as texts: checked() explains a wrong value better than argparse does."""
    parser.add_argument("--memory", metavar="SIZE", help="memory of the guest, 2G say (512M)")
    parser.add_argument("--append", metavar="'PARAMETER ...'", help="further parameters for the guest's kernel, 'init_on_alloc=0' say")
    parser.add_argument(
        "--module", nargs="+", action="extend", metavar="NAME",
        help="qemu: have these modules of the kernel's package, with those that they need, in the guest, too: vrf, nft_masq",
    )  # fmt: skip


def checked(args: argparse.Namespace) -> GuestOptions:
    """Return the choices; the defaults for options that a command lacks. UsageError names the option, its value and what is allowed."""
    return GuestOptions(
        memory_mib=_memory(getattr(args, "memory", None)),
        parameters=_parameters(getattr(args, "append", None)),
        modules=_modules(options.words(getattr(args, "module", None) or ())),
    )


def _memory(text: str | None) -> int | None:
    if text is None:
        return None
    match = _SIZE.fullmatch(text)
    size = int(match[1]) * UNITS[match[2].upper()] if match else 0
    if not LEAST_MIB <= size <= MOST_MIB:
        raise UsageError(f"--memory is {text!r}: allowed are sizes from {LEAST_MIB}M to {MOST_MIB >> 20}T, such as 512M or 2G")
    return size


def _parameters(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--append is {text!r}: its quotes do not match ({error})") from None
    for word in words:
        if not _PARAMETER.fullmatch(word) or '"' in word:
            raise UsageError(f"--append has {word!r}: allowed are parameters such as quiet or slab_nomerge=1")
        if OWN_PARAMETERS.fullmatch(word.partition("=")[0]):
            instead = ": --memory SIZE sets it" if word.startswith("mem=") else ", by which dsbench boots and watches the guest"
            raise UsageError(f"--append has {word!r}{instead}")
    if not words or len(text) > MOST_LETTERS:
        raise UsageError(f"--append has {len(text)} letters and {len(words)} parameters: allowed are 1 or more in {MOST_LETTERS} letters")
    return tuple(map(_in_kernel_s_quotes, words))


def _in_kernel_s_quotes(word: str) -> str:
    name, equals, value = word.partition("=")
    return f'{name}{equals}"{value}"' if " " in value else word


def _modules(names: list[str]) -> tuple[str, ...]:
    for name in names:
        if not _MODULE.fullmatch(name):
            raise UsageError(f"--module is {name!r}: allowed are names of modules as modprobe takes them, such as vrf")
    return tuple(dict.fromkeys(names))
