# SPDX-License-Identifier: GPL-2.0
"""The tunnel's cases of netns/ on the kernels with Rust, a guest for each driver, and one of the debug kernel.

All cases run against the driver in Rust, but those of features that it leaves out, which netns/kinds.py lists. Those for which the
kernel matters run against the driver in C, too.
"""

from __future__ import annotations

import pytest
import rustguests
from dsharness.kernel import kernels
from netnsguests import OF_OTHER_PROGRAMS, ON_STOCK_KERNELS, UDPTUN, judge, outcomes, selected, udptun

pytestmark = pytest.mark.rust

RUST = "udptun_rust"
OF_RUST = tuple(name for name in udptun.CASES if name not in OF_OTHER_PROGRAMS)


def cases() -> list[object]:
    """Return each case with each kind. The cases of a kind share a guest."""
    of_kind = {UDPTUN: (*ON_STOCK_KERNELS, "a_thousand_rounds"), RUST: OF_RUST}
    return [pytest.param(name, kind, marks=pytest.mark.xdist_group(f"tunnel-{kind}")) for kind, names in of_kind.items() for name in names]


@pytest.mark.parametrize(("name", "kind"), cases())
def test_both_drivers(name: str, kind: str, request: pytest.FixtureRequest) -> None:
    rustguests.need_root()
    judge(outcomes("qemu", kernels.RUST, selected(request, kind=kind), kind)[name])


@pytest.mark.xdist_group("tunnel-rust-debug")
@pytest.mark.parametrize("kernel", [kernels.RUST_DEBUG])
@pytest.mark.parametrize("name", OF_RUST)
def test_on_the_debug_kernel(name: str, kernel: str, request: pytest.FixtureRequest) -> None:
    """A report of KASAN, UBSAN, lockdep, RCU, debug objects or kmemleak fails the case that caused it."""
    rustguests.need_uml(kernel)
    judge(outcomes("uml", kernel, selected(request, kernel), RUST)[name])
