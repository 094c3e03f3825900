# SPDX-License-Identifier: GPL-2.0
"""gnuplot really draws, and what it draws says what it shows."""

from __future__ import annotations

import shutil
import struct
import xml.etree.ElementTree
from array import array
from pathlib import Path
from typing import Any

import pytest
from made_results import ALL_CONTAINERS, CONTAINERS, DEVICES, SHARING, make

from dsharness import paths
from dsharness.errors import HarnessError
from dsharness.plot import figures, seedfigure
from dsharness.plot.picture import Point
from dsharness.results import results
from dsharness.results.results import Results
from dsharness.results.samples import unit_words
from dsharness.statistics import stats

pytestmark = pytest.mark.skipif(not shutil.which("gnuplot"), reason="gnuplot is not installed")


def png_size(path: Path) -> tuple[int, int]:
    header = path.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", header[16:])
    return width, height


def svg_text(path: Path) -> str:
    """All words of a picture; it is well-formed, or this raises."""
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg")
    return " ".join("".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("}text"))


def test_every_picture_in_both_formats(tmp_path: Path) -> None:
    drawn = figures.draw(make(), tmp_path)
    names = [f"{name}.{kind}" for name in ("per-element", "largest-n", "seed-report") for kind in ("svg", "png")]
    assert [path.name for path in drawn] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for path in drawn:
        if path.suffix == ".png":
            width, height = png_size(path)
            assert width == 1200
            assert 500 < height < 1200


def test_the_user_s_gnuplot_settings_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.gnuplot").write_text('set datafile separator ","\n', encoding="utf-8")
    sweep, pictures = make(), []
    for home in (tmp_path, tmp_path / "home"):
        monkeypatch.setenv("HOME", str(home))
        pictures.append([path.read_bytes() for path in figures.draw(sweep, tmp_path / "plots") if path.suffix == ".svg"])
    assert pictures[0] == pictures[1]


def test_the_words_on_a_picture(tmp_path: Path) -> None:
    for path in figures.draw(make(), tmp_path):
        if path.suffix == ".svg":
            text = svg_text(path)
            for words in ("counted in TSC cycles", "target uml", "kernel 6.12.117", "rdtsc", "2026-01-02", "0123456789ab",
                          "Example CPU 9000", "median of 20 tries", "for_each", "hashtable", "xarray"):  # fmt: skip
                assert words in text, path.name


def test_readers_are_drawn_over_their_number(tmp_path: Path) -> None:
    sweep = make(tries=5, threads=(1, 2, 4), writes=1000, sharing=SHARING)
    picture = figures.readers(sweep.shared)
    assert [panel.title.split(":")[0] for panel in picture.panels] == ["find", "find", "for_each", "for_each"]
    for panel in picture.panels:
        assert {name: [point.x for point in line] for name, line in panel.series.items()} == {
            name: [1, 2, 4] for name in CONTAINERS
        }
    assert figures.per_element(sweep.part("element")).panels == figures.per_element(make(tries=5).part("element")).panels
    drawn = figures.draw(sweep, tmp_path)
    assert {"readers.svg", "readers.png"} <= {path.name for path in drawn}
    text = svg_text(tmp_path / "readers.svg")
    assert "1,000 writes per second" in text
    assert "rbtree read_lock/write_lock" in text


def test_one_number_of_readers_makes_no_curve(tmp_path: Path) -> None:
    drawn = figures.draw(make(tries=5, threads=(2,)), tmp_path)
    assert not [path for path in drawn if path.stem == "readers"]


def test_a_panel_an_operation_and_a_line_a_container() -> None:
    picture = figures.per_element(make())
    assert [panel.title for panel in picture.panels] == ["fill", "find", "for_each", "erase"]
    find = picture.panels[1]
    assert find.log
    line = find.series["rbtree"]
    assert [point.x for point in line] == [500, 1000, 2000, 4000]
    cell = next(cell for cell in make().cells if cell.name == "rbtree/find/4000")
    summary = results.per_work(cell)
    assert line[-1] == Point(4000, summary.median, summary.p10, summary.p90)


def test_bars_are_of_the_largest_n() -> None:
    (panel,) = figures.largest(make(sizes=[500, 100_000])).panels
    assert sum(len(bars) for bars in panel.series.values()) == 16
    assert "100,000" in figures.largest(make(sizes=[500, 100_000])).title


def test_the_seed_report_has_totals() -> None:
    picture = seedfigure.picture(make())
    assert picture is not None
    fill = picture.panels[0]
    assert fill.value_label == "cycles of a try"
    assert fill.series["list"][0].median == 788988
    assert fill.series["xarray"][-1].median == 384668
    ours = picture.panels[3].series["list"][0]
    cell = next(cell for cell in make().cells if cell.name == "list/fill/500")
    assert ours.median == stats.summarise(cell.counts).median


def test_cycles_and_instructions_share_no_axis(tmp_path: Path) -> None:
    sweep = make(unit="instructions", target="qemu", accel="icount")
    picture = seedfigure.picture(sweep)
    assert picture is not None
    assert [panel.value_label.split()[0] for panel in picture.panels] == ["cycles"] * 3 + ["instructions"] * 3
    above, below = picture.panels[0], picture.panels[3]
    assert (above.low, above.high) != (below.low, below.high)
    text = " ".join(svg_text(path) for path in figures.draw(sweep, tmp_path) if path.name == "seed-report.svg")
    assert "the report in cycles, this run in INSTRUCTIONS" in text


def test_no_common_size_makes_no_seed_report(tmp_path: Path) -> None:
    assert seedfigure.picture(make(sizes=[64])) is None
    assert seedfigure.picture(make(ops=["erase"])) is None
    other = make(containers=["list"])
    for cell in other.cells:
        cell.container = "maple"
    assert seedfigure.picture(other) is None
    assert len(figures.draw(make(sizes=[64]), tmp_path)) == 4


@pytest.mark.parametrize(
    "options",
    [
        {"sizes": [4000]},
        {"sizes": [1]},
        {"sizes": [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]},
        {"sizes": [999, 1000]},
        {"sizes": [1, 10, 100], "floors": True},
        {"tries": 1},
        {"containers": ["list"], "ops": ["find"]},
        {"containers": ["xarray", "rbtree"], "ops": ["erase", "fill", "for_each"]},
    ],
)
def test_unusual_sweeps(options: dict[str, Any], tmp_path: Path) -> None:
    for path in figures.draw(make(**options), tmp_path):
        if path.suffix == ".svg":
            assert "counted in TSC cycles" in svg_text(path)


def test_floors_are_thin_lines_below_the_containers(tmp_path: Path) -> None:
    sweep = make(floors=True)
    picture = figures.per_element(sweep)
    assert picture.containers == ["hashtable", "list", "rbtree", "xarray"]
    assert [panel.title for panel in picture.panels] == ["fill", "find", "for_each", "erase"]
    assert [panel.floor for panel in picture.panels] == ["random", "random", "walk", "random"]
    cell = next(cell for cell in sweep.cells if cell.name == "floor/walk/4000")
    for panel in picture.panels:
        assert list(panel.floors) == ["empty", "walk", "random", "chase"]
        assert panel.floors["walk"][-1].median == results.per_work(cell).median
        assert panel.low < min(point.median for line in panel.floors.values() for point in line)
    text = svg_text(next(path for path in figures.draw(sweep, tmp_path) if path.name == "per-element.svg"))
    for words in ("empty", "walk", "random", "chase", "floor: random for fill, find, erase; walk for for_each"):
        assert words in text


def test_floors_are_marks_among_the_bars() -> None:
    picture = figures.largest(make(floors=True))
    (panel,) = picture.panels
    assert "floor" not in panel.series
    medians = {cell.name: results.per_work(cell).median for cell in make(floors=True).floors.cells}
    random, walk = medians["floor/random/4000"], medians["floor/walk/4000"]
    assert [mark.value for mark in panel.marks] == [random, random, walk, random]
    assert picture.mark.startswith("floor: ")
    assert not figures.largest(make()).mark


def test_floors_below_resolution_are_not_drawn(tmp_path: Path) -> None:
    sweep = make(floors=True)
    for cell in sweep.floors.cells:
        cell.counts = array("q", [-5] * len(cell.counts))
    assert not figures.largest(sweep).panels[0].marks
    assert figures.per_element(sweep).panels[1].log
    assert len(figures.draw(sweep, tmp_path)) == 6


def with_value(sweep: Results, value: int, *, everywhere: bool) -> Results:
    for cell in sweep.cells if everywhere else sweep.cells[:1]:
        cell.counts = array("q", [value] * len(cell.counts))
    return sweep


@pytest.mark.parametrize("value", [0, -100])
@pytest.mark.parametrize("everywhere", [False, True])
def test_values_below_resolution(value: int, everywhere: bool, tmp_path: Path) -> None:
    sweep = with_value(make(), value, everywhere=everywhere)
    text = " ".join(svg_text(path) for path in figures.draw(sweep, tmp_path) if path.name == "per-element.svg")
    # A logarithmic axis can't show them, so a sentence does; a linear one shows them where they are.
    assert ("Below the clock's resolution at some n, not drawn there: hashtable/fill" in text) is not everywhere


def test_a_container_without_an_operation(tmp_path: Path) -> None:
    sweep = make()
    sweep.cells = [cell for cell in sweep.cells if (cell.container, cell.op) != ("list", "find")]
    figures.draw(sweep, tmp_path)
    assert figures.per_element(sweep).panels[1].series["list"] == []


def test_nine_containers_and_what_they_lack(tmp_path: Path) -> None:
    for path in figures.draw(make(containers=ALL_CONTAINERS, devices=DEVICES), tmp_path):
        if path.suffix == ".svg":
            text = svg_text(path)
            containers = path.stem not in ("datapath", "seed-report")
            assert ("Absent: llist has no find, sorted_array has no erase." in text) is containers, path.name
            assert all(name in text for name in ALL_CONTAINERS) is containers, path.name


def test_no_two_containers_look_alike() -> None:
    picture = figures.side_by_side(make(containers=ALL_CONTAINERS, devices=DEVICES))
    assert picture is not None
    styles = [picture.styles.get(name, place) for place, name in enumerate(picture.containers, start=1)]
    assert len(set(styles)) == len(styles) == 12
    assert picture.columns == 1, "there is no room for nine containers beside the tunnels"


def with_datapath(**options: Any) -> Results:
    whole: dict[str, Any] = {"devices": DEVICES, **options}
    return make(**whole)


def test_the_datapath_is_drawn_where_there_is_one(tmp_path: Path) -> None:
    drawn = figures.draw(with_datapath(), tmp_path)
    assert [path.name for path in drawn[6:]] == [
        "datapath.svg", "datapath.png", "containers-and-datapath.svg", "containers-and-datapath.png",
    ]  # fmt: skip
    for path in drawn[6:]:
        if path.suffix == ".svg":
            text = svg_text(path)
            for words in ("TSC cycles per packet", "udptun", "veth: the bare link", "wireguard (encrypts: not compared)",
                          "1400 B", "target uml", "median of 20 tries"):  # fmt: skip
                assert words in text, path.name


def test_bursts_have_a_picture_of_their_own(tmp_path: Path) -> None:
    sweep = with_datapath(payloads=[64, 1400, 64400], bursts=[1, 8, 64])
    names = [path.name for path in figures.draw(sweep, tmp_path)[6:]]
    assert names == [f"{name}.{kind}" for name in ("datapath", "bursts", "containers-and-datapath") for kind in ("svg", "png")]
    text = svg_text(tmp_path / "bursts.svg")
    for words in ("What one packet of 1400 B costs in bursts", "packets in a burst", "tx", "rx", "path", "udptun", "veth: the bare link"):
        assert words in text
    picture = figures.burst_bars(sweep.in_bursts)
    assert [panel.title for panel in picture.panels] == ["tx", "rx", "path"]
    path = picture.panels[2]
    assert [label for label, _ in path.axis.ticks] == ["1", "8", "64"]
    costs = {cell.name: results.per_work(cell).median for cell in sweep.cells}
    assert [point.median for point in path.series["udptun"]] == [costs[f"udptun/path/1400/burst:{burst}"] for burst in (1, 8, 64)]
    assert [mark.value for mark in path.marks] == [costs[f"veth/path/1400/burst:{burst}"] for burst in (1, 8, 64)]


def test_the_other_pictures_are_of_containers_alone() -> None:
    sweep = with_datapath().part("element")
    assert figures.per_element(sweep).panels == figures.per_element(make()).panels
    assert figures.largest(sweep).containers == ["hashtable", "list", "rbtree", "xarray"]


def test_bars_of_packets_stand_beside_the_bare_link() -> None:
    sweep = with_datapath().part("packet")
    picture = figures.datapath_bars(sweep)
    assert [panel.title for panel in picture.panels] == [
        "payload 64 B", "payload 512 B", "payload 1400 B", "payload 64400 B GSO",
    ]  # fmt: skip
    panel = picture.panels[2]
    assert "veth" not in panel.series
    assert len(panel.series["udptun"]) == 3
    assert [text for text, _ in panel.axis.ticks] == ["tx", "rx", "path"]
    bare = next(cell for cell in sweep.cells if cell.name == "veth/path/1400")
    assert panel.marks[2].value == results.per_work(bare).median
    assert not panel.log
    assert panel.low == 0


def test_what_encrypts_does_not_stretch_the_axis() -> None:
    for panel in figures.datapath_bars(with_datapath().part("packet")).panels:
        compared = [p.high for name, line in panel.series.items() if "encrypts" not in name for p in line]
        assert panel.high < 2 * max(compared)


def test_an_outlier_does_not_stretch_the_axis(tmp_path: Path) -> None:
    sweep = with_datapath()
    cell = next(cell for cell in sweep.cells if cell.name == "fou/path/64400")
    cell.counts = array("q", (50 * value for value in cell.counts))
    panel = figures.datapath_bars(sweep.part("packet")).panels[3]
    assert panel.high < 2 * max(point.high for point in panel.series["vxlan"])
    assert "↑" in svg_text(next(path for path in figures.draw(sweep, tmp_path) if path.name == "datapath.svg"))


def test_every_tunnel_has_a_colour_of_its_own() -> None:
    picture = figures.datapath_bars(with_datapath().part("packet"))
    assert len({picture.styles[name] for name in picture.containers}) == len(picture.containers) == 6


def test_containers_and_tunnels_side_by_side() -> None:
    sweep = with_datapath(sizes=[500, 4000])
    picture = figures.side_by_side(sweep)
    assert picture is not None
    left, right = picture.panels
    assert (left.title, right.title) == ("one element, n = 4,000", "one packet, payload 1400 B")
    assert (left.value_label, right.value_label) == ("TSC cycles per element", "TSC cycles per packet")
    assert [text for text, _ in right.axis.ticks] == list(DEVICES[1:])
    assert len(right.series["in-tree tunnels"]) == 4
    assert [mark.value > 0 for mark in right.marks] == [True]


def test_the_payload_nearest_to_a_full_packet_is_shown() -> None:
    sweep = with_datapath(payloads=[64, 900])
    picture = figures.side_by_side(sweep)
    assert picture is not None
    assert picture.panels[1].title == "one packet, payload 900 B"


def test_absent_devices_are_named(tmp_path: Path) -> None:
    sweep = with_datapath(devices=["veth", "udptun"], absent_devices={"bareudp": "this kernel has no bareudp"})
    for path in figures.draw(sweep, tmp_path)[6:]:
        if path.suffix == ".svg":
            assert "Absent: bareudp (this kernel has no bareudp)." in svg_text(path)


@pytest.mark.parametrize(
    "options",
    [
        {"devices": ["veth"]},
        {"devices": ["wireguard"]},
        {"devices": ["udptun", "a-tunnel-15char"], "payloads": [64]},
        {"payloads": [1], "tries": 1},
        {"unit": "instructions", "target": "qemu", "accel": "icount"},
    ],
)
def test_unusual_datapaths(options: dict[str, Any], tmp_path: Path) -> None:
    for path in figures.draw(with_datapath(**options), tmp_path)[6:]:
        if path.suffix == ".svg":
            assert f"{unit_words(options.get('unit', 'tsc'))} per packet" in svg_text(path)


def test_a_datapath_without_a_whole_path(tmp_path: Path) -> None:
    sweep = with_datapath()
    sweep.cells = [cell for cell in sweep.cells if cell.op != "path" and (cell.container, cell.op) != ("fou", "rx")]
    names = [path.stem for path in figures.draw(sweep, tmp_path)[6:]]
    assert names == ["datapath", "datapath"]


@pytest.mark.parametrize("value", [0, -100])
def test_packets_below_resolution(value: int, tmp_path: Path) -> None:
    assert len(figures.draw(with_value(with_datapath(), value, everywhere=True), tmp_path)) == 10


def test_what_the_reader_must_not_miss(tmp_path: Path) -> None:
    sweep = make(complete=False, warnings=["this kernel has KASAN, so 'every' access costs \"more\" & more"])
    text = svg_text(next(path for path in figures.draw(sweep, tmp_path) if path.name == "per-element.svg"))
    assert "INCOMPLETE" in text
    assert "Warning: this kernel has KASAN, so 'every' access costs \"more\" & more" in text


def test_names_that_gnuplot_could_take_for_commands(tmp_path: Path) -> None:
    sweep = make(kernel="6.12'; system('touch owned')\n`x`", cpu_model="{/Bold} ^2 \\ %s @")
    text = svg_text(figures.draw(sweep, tmp_path)[0])
    assert "system('touch owned')" in text
    assert "{/Bold} ^2 \\ %s @" in text
    assert not list(paths.PLOTS.glob("owned"))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HarnessError, match="the plots folder .*/file cannot be made"):
        figures.draw(make(), tmp_path / "file")
