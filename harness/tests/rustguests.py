# SPDX-License-Identifier: GPL-2.0
"""Guests of the newest stock kernel with the modules in Rust, for test_rust_*.py: `make test-rust` runs these files alone.

Such a file has `pytestmark = pytest.mark.rust` and makes its targets here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from dsharness import packages, paths, targets
from dsharness.errors import HarnessError
from dsharness.kernel import build, buildroot, kernels, rustroot, rustuml, trees
from dsharness.kernel.build import Build
from dsharness.kernel.trees import Tree

TESTS = ("DSBENCH_RUST_TESTS=m",)
"""make's variables for the tests' modules. The core exports more for them, so figures come from another build."""


def need_root() -> None:
    """Skip the test where the build root for Rust is absent or cannot be used."""
    if not rustroot.built():
        pytest.skip(f"the cache has no build root for Rust, which takes {rustroot.MINUTES} minutes: make test-rust makes it")
    try:
        buildroot.require_namespaces()
    except HarnessError as error:
        pytest.skip(str(error))


def need_uml(kernel: str) -> None:
    """Skip the test where this UML kernel with Rust is absent: it is built on request alone."""
    need_root()
    flavour = kernels.UML_WITH_RUST[kernel]
    if not rustuml.is_built(flavour, rustroot.find()):
        pytest.skip(
            f"the cache has no {flavour.called}, which takes {flavour.minutes} minutes: harness/dsbench build --target uml --kernel {kernel} makes it"
        )


def built(name: str, make_args: Sequence[str] = (), *, tree: Tree | None = None) -> Build:
    """Return a build of `tree` (the working tree) for the kernel with Rust, in a folder of its own below build/."""
    need_root()
    apart = dataclasses.replace(tree or trees.working(), into=paths.make_folder(paths.objects() / f"rust-{name}", "build"))
    return build.modules(kernels.find("qemu", kernels.RUST), tree=apart, make_args=make_args)


def guest(made: Build, *, network: bool = False) -> targets.Qemu:
    """Return a guest with the modules of a build, whose clock counts instructions."""
    packages.ensure(*targets.prerequisites("qemu", kernels.RUST, network=network))
    return targets.Qemu(made, "icount", network=network)
