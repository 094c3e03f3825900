# SPDX-License-Identifier: GPL-2.0
"""Progress in a log: where no terminal is, lines."""

from __future__ import annotations

import pytest

from dsharness import ui


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (99, "99 s"), (100, "1 min 40 s"), (3605, "60 min 05 s")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert ui.duration(seconds) == text


def test_a_step_says_when_it_begins_and_ends(capfd: pytest.CaptureFixture[str]) -> None:
    with ui.step("baking"):
        ui.warn("it is hot: open a window")
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[:2] == ["baking ...", "warning: it is hot: open a window"]
    assert err.splitlines()[2].startswith("baking: done in ")


@pytest.mark.parametrize(("kind", "verdict"), [(KeyboardInterrupt, "interrupted after"), (ValueError, "stopped after")])
def test_a_step_that_fails_says_so(capfd: pytest.CaptureFixture[str], kind: type[BaseException], verdict: str) -> None:
    with pytest.raises(kind), ui.step("baking"):
        raise kind
    assert f"baking: {verdict}" in capfd.readouterr().err
