# SPDX-License-Identifier: GPL-2.0
"""The targets that modules run on: User Mode Linux, QEMU, or the host itself."""

from __future__ import annotations

from collections.abc import Sequence

from .. import options, packages
from ..errors import UsageError
from ..kernel import build, buildroot, kernels, rustroot, umlkernel
from ..kernel.own import OwnKernel, Spec
from ..kernel.trees import Tree
from . import accel as accelerators
from . import guestnet, kernelmodules, umlhost
from .base import GUEST_MEMORY_MIB, GuestError, GuestResult, Target
from .guestoptions import GuestOptions
from .host import Host
from .host import require as require_host
from .qemu import Qemu
from .uml import Uml

__all__ = ["GuestError", "GuestOptions", "GuestResult", "Host", "Qemu", "Target", "Uml", "check", "get", "prerequisites"]


def get(
    name: str,
    kernel_spec: Spec | None = None,
    accel: str | None = None,
    *,
    network: bool = False,
    peers: Sequence[str] = (),
    cpus: int = 1,
    tree: Tree | None = None,
    guest: GuestOptions = GuestOptions(),
) -> Target:
    """Return the target `name`, ready to run: with its kernel, and with the modules of `tree` (default: the working tree) built.

    `network` adds the programs and kernel modules that network tests need; a guest without them boots faster. `peers` are devices
    that were asked for by name: modules for them that a stock kernel lacks are built from its source. Only qemu supports more than
    one of `cpus`; the host has its own. `guest` has the user's choices of a guest.

    UsageError for an unknown target, kernel or accelerator; HarnessError if one cannot be used here.
    """
    check(name, kernel_spec, accel, cpus=cpus, guest=guest)
    packages.ensure(*prerequisites(name, kernel_spec, network=network))
    if name == "qemu":
        kernel = kernels.find(name, kernel_spec)
        chosen = accelerators.resolve(kernel, accel)
        built = build.modules(kernel, tree=tree)
        foreign = guestnet.build_missing_modules(kernel, [*(peers if network else ()), *guest.modules])
        kernelmodules.require(kernel, guest.modules, [one.module.stem for one in foreign])
        files = [one.module for one in foreign]
        machine = Qemu(built, chosen, network=network, names=guest.modules, modules=files, cpus=cpus)
        machine.warnings += [f"{one.module.stem} is not the kernel's own, but built from {one.source}" for one in foreign]
        return _chosen(machine, guest)
    if name == "host":
        return Host(build.modules(kernels.find(name, kernel_spec), tree=tree))
    umlhost.require(guest.memory_mib or GUEST_MEMORY_MIB)
    built = build.modules(kernels.find(name, kernel_spec), tree=tree)
    return _chosen(Uml(built, network=network), guest)


def check(
    name: str, kernel_spec: Spec | None = None, accel: str | None = None, *, cpus: int = 1, guest: GuestOptions = GuestOptions()
) -> None:
    """Check the options of get(). Nothing is fetched, built or installed.

    UsageError for an unknown target, kernel or accelerator, or for an option that the target cannot have.
    """
    if accel not in (None, *accelerators.CHOICES):
        near = options.suggestion(str(accel), accelerators.CHOICES)
        raise UsageError(f"accelerator {accel!r} is unknown: there are {', '.join(accelerators.CHOICES)}{near}")
    kernels.check(name, kernel_spec)
    if accel not in (None, "auto") and name != "qemu":
        raise UsageError(f"--accel {accel} is for target qemu: {name} has no accelerator")
    if name == "uml" and cpus > 1:
        raise UsageError(f"target uml has one CPU, not {cpus}: --target qemu has as many as are asked for")
    guest.refuse(name)


def prerequisites(name: str, kernel_spec: Spec | None = None, *, network: bool = False) -> tuple[str, ...]:
    """Return the groups of packages that get() needs for a checked target, as far as the cache shows what has to be built.

    HarnessError if the target cannot be used here, whatever is installed.
    """
    groups = ["base", *(["tunnel"] if network else [])]
    if name == "host":
        require_host()
    elif name == "qemu":
        groups += ["qemu", *(["lint"] if kernel_spec == kernels.NEWEST and not buildroot.built() else [])]
    elif not isinstance(kernel_spec, OwnKernel) and kernel_spec not in kernels.WITH_RUST and not umlkernel.built():
        groups.append("uml")
    if kernel_spec in kernels.WITH_RUST and not rustroot.built():
        groups.append("lint")
    if isinstance(kernel_spec, OwnKernel) and not kernel_spec.image:
        groups.append("kernel")
    return tuple(groups)


def _chosen(target: Target, guest: GuestOptions) -> Target:
    """Return the target with the user's memory and parameters."""
    target.memory_mib = guest.memory_mib or target.memory_mib
    target.parameters = (*target.parameters, *guest.parameters)
    return target
