# SPDX-License-Identifier: GPL-2.0
"""The tunnel's cases of netns/ on the kernel with Rust, against the driver in C and the one in Rust: a guest for each.

The cases of features that the driver in Rust leaves out are in netns/kinds.py.
"""

from __future__ import annotations

import pytest
import rustguests
from dsharness.kernel import kernels
from netnsguests import OF_BOTH_KINDS, OF_OTHER_PROGRAMS, UDPTUN, judge, outcomes, selected, udptun

pytestmark = pytest.mark.rust

RUST = "udptun_rust"


def cases() -> list[object]:
    """Return each case with each kind. The cases of a kind share a guest; those of both kinds need one of them only."""
    return [
        pytest.param(name, kind, marks=pytest.mark.xdist_group(f"tunnel-{kind}"))
        for kind in (UDPTUN, RUST) for name in udptun.CASES
        if name not in OF_OTHER_PROGRAMS and (kind == RUST or name not in OF_BOTH_KINDS)
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), cases())
def test_both_drivers(name: str, kind: str, request: pytest.FixtureRequest) -> None:
    rustguests.need_root()
    judge(outcomes("qemu", kernels.RUST, selected(request, kind=kind), kind)[name])
