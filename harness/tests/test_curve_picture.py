# SPDX-License-Identifier: GPL-2.0
"""The picture and the table of a curve."""

from __future__ import annotations

import math
import shutil
from array import array
from pathlib import Path
from typing import Any

import pytest
from made_results import make
from test_complexity import CACHES
from test_plot import svg_text

from dsharness.plot import curvefigure
from dsharness.curve import table as curvetable
from dsharness.plot import figures
from dsharness.results import fits as curvefits
from dsharness.results.results import Results
from dsharness.results.samples import Cell

SIZES = [1, 2, 5, 10, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000]


def curve(**options: Any) -> Results:
    return make(**{"sizes": SIZES, "tries": 3, "caches": CACHES, "curve": {"sizes": SIZES}, **options})


@pytest.mark.skipif(not shutil.which("gnuplot"), reason="gnuplot is not installed")
def test_the_words_on_it(tmp_path: Path) -> None:
    drawn = figures.draw(curve(), tmp_path)
    assert [path.name for path in drawn] == ["curve.svg", "curve.png"]
    text = svg_text(drawn[0])
    for words in ("cycles per element", "L1d", "L2", "L3", "list: O(n)", "1,000,000", "Fitted:", "leave L2"):
        assert words in text


@pytest.mark.skipif(not shutil.which("gnuplot"), reason="gnuplot is not installed")
@pytest.mark.parametrize(
    "options", [{"sizes": [1]}, {"sizes": [1, 2, 3]}, {"sizes": [500, 1000], "tries": 1}, {"ops": ["find"]}, {"complete": False}]
)
def test_unusual_curves(options: dict[str, Any], tmp_path: Path) -> None:
    assert "What one element costs from n" in svg_text(figures.draw(curve(**options), tmp_path)[0])


def test_caches_within_the_axis_are_marked() -> None:
    assert [mark.name for mark in curvefigure.picture(curve()).verticals] == ["L1d", "L2", "L3"]
    assert [mark.name for mark in curvefigure.picture(curve(sizes=[1, 10, 100, 1000])).verticals] == ["L1d"]
    unknown = curvefigure.picture(curve(caches=[]))
    assert unknown.verticals == []
    assert not any("fill a cache" in note for note in unknown.notes)


def test_each_panel_is_on_log_axes_and_says_each_class() -> None:
    for panel in curvefigure.picture(curve()).panels:
        assert (panel.log, panel.axis.log) == (True, True)
        assert len(panel.asides) == 4
        ends = [panel.series[aside.series][-1].median for aside in panel.asides]
        assert ends == sorted(ends, reverse=True)


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    made = curve()
    for cell in made.cells:
        if cell.name.startswith("xarray/fill/") and cell.n >= 100:
            cell.counts = array("q", [0, 0, -1])
    curvetable.show(made)
    text = capsys.readouterr().out
    assert "O(n)" in text and "n=1000000" in text
    assert "Not fitted: xarray/fill: 0 sizes from 64 to 16,384 are above the resolution, 4 are needed." in text
    assert "beyond, the elements leave L2" in text


def test_a_few_sizes_of_many() -> None:
    assert curvetable.shown_sizes([1, 2]) == [1, 2]
    assert curvetable.shown_sizes(SIZES) == [1, 10, 500, 5000, 1_000_000]


def with_floors(**options: Any) -> Results:
    """The same with the core's floors: a walk and a chase that caches make dearer."""
    whole = curve(**options)
    for n in whole.sizes:
        for op, cost in (("walk", 2.0), ("random", 3.0 + n**0.3), ("chase", 5.0 + n**0.4)):
            whole.cells.append(Cell("floor", op, n, n, array("q", [round(cost * n)] * 3), array("b", [0] * 3)))
    return whole


def test_floors_are_drawn_below() -> None:
    picture = curvefigure.picture(with_floors())
    assert picture.containers == ["hashtable", "list", "rbtree", "xarray"]
    assert [panel.floor for panel in picture.panels] == ["random", "random", "walk", "random"]
    assert all(set(panel.floors) == {"walk", "random", "chase"} for panel in picture.panels)


def test_caches_do_not_pass_for_complexity() -> None:
    bent = with_floors()
    chase = {cell.n: cell.counts[0] / cell.n for cell in bent.cells if cell.op == "chase"}
    for cell in bent.cells:
        if (cell.container, cell.op) == ("list", "for_each"):
            cell.counts = array("q", [round(1.7 * chase[cell.n] * cell.n)] * 3)
        if (cell.container, cell.op) == ("rbtree", "find"):
            cell.counts = array("q", [round(1.7 * math.log2(cell.n) * chase[cell.n] * cell.n) + 1] * 3)
    found = {series: fit.word for series, fit in curvefits.fits(bent.context, bent.cells).items()}
    assert (found["list", "for_each"], found["floor", "chase"], found["rbtree", "find"]) == ("O(1)", "O(1)", "O(log n)")
    without = [cell for cell in bent.cells if cell.container != "floor"]
    blind = curvefits.fits(bent.context, without)["list", "for_each"]
    assert "O(1)" in blind.word.split(" or ") and blind.ties > 1
    assert "within 30% of it" in curvefits.explained(bent.context, without)
    assert "bent as caches bend a chase" in curvefits.explained(bent.context, bent.cells)
