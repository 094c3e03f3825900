# SPDX-License-Identifier: GPL-2.0
"""The comparison with Rust without a guest: its options, twins, rows and picture, and which module does not build."""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path

import pytest
from made_results import make

from dsharness import packages, paths, proc
from dsharness.compare.verdict import Word
from dsharness.errors import HarnessError, UsageError
from dsharness.explain import rustnames
from dsharness.kernel import buildroot, kernels, rustmodules, rustroot, trees
from dsharness.kernel.buildroot import BuildRoot
from dsharness.results import results
from dsharness.results.results import Results
from dsharness.results.samples import CONTAINER_OPS, Cell
from dsharness.rust import command, drive, helpers, judge, packets, picture, plan, table, twins

NAMES = ("list", "rbtree", "list_clang", "rbtree_clang", "list_owned", "rust_list", "rust_rbtree", "rust_rbtree_hand")
COUNTS = {"list": 40, "list_clang": 41, "list_owned": 50, "rust_list": 50, "rbtree": 80, "rbtree_clang": 80, "rust_rbtree": 120, "rust_rbtree_hand": 80}


def swept() -> Results:
    """Counts that repeat exactly, as under icount."""
    context = {**make(sizes=[10], tries=2).context, "unit": "instructions", "target": "qemu", "accel": "icount"}
    cells = [Cell(name, op, n, n) for name in COUNTS for op in ("fill", "find") for n in (500, 1000)]
    for cell in cells:
        for _ in range(10):
            cell.add(COUNTS[cell.container] * cell.n, 0)
    return Results({**context, "n": [500, 1000], "cells": [cell.name for cell in cells]}, cells)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The containers beside Rust, whatever the project has."""
    if "tmp_path" not in request.fixturenames:
        monkeypatch.setattr(trees, "rust_containers", lambda root: [name for name in NAMES if name not in ("list", "rbtree")])


def made(*argv: str) -> plan.RustPlan:
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    return plan.checked_plan(top.parse_args(["rust", *argv]))


def test_plan_has_each_container_with_its_twins() -> None:
    containers = made("--container", "list").sweep.containers
    assert containers == ("list", "list_clang", "list_owned", "rust_list")


def test_plan_runs_under_icount_on_the_kernel_with_rust() -> None:
    what = made().sweep
    assert (what.target, what.kernel, what.accel) == ("qemu", "rust", "icount")
    assert what.datapath and what.datapath.devices == ("veth", "udptun", "udptun_rust")
    assert made("--container", "list").sweep.datapath is None
    assert made("--container", "list", "--datapath").sweep.datapath
    assert made("--no-datapath").sweep.datapath is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--target", "host"), "--target is 'host': allowed are qemu, which counts instructions, and uml, which counts cycles"),
        (("--target", "uml", "--accel", "icount"), "--accel icount is for target qemu: uml has no accelerator"),
        (("--target", "uml", "--kernel", "rust-debug"), "--kernel is 'rust-debug': the comparison needs .* without checks for faults, which is rust"),
        (("--target", "uml", "--kernel", "6.12"), "--kernel is '6.12': the comparison needs a kernel with CONFIG_RUST"),
        (("--kernel", "6.12"), "--kernel is '6.12': the comparison needs a kernel with CONFIG_RUST"),
        (("--accel", "kvm"), "--accel is 'kvm': the comparison counts instructions"),
        (("--container", "lst"), "--container is 'lst': allowed are .*; did you mean list?"),
        (("--sizes", "0"), "--sizes is '0': allowed are whole numbers"),
    ],
)
def test_wrong_options(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        made(*words)


def test_uml_counts_cycles_in_more_tries() -> None:
    what = made("--target", "uml").sweep
    assert (what.target, what.kernel, what.accel, what.tries) == ("uml", "rust", None, None)
    assert made("--target", "uml", "--tries", "7").sweep.tries == 7
    assert made().sweep.tries == 10


@pytest.mark.parametrize("spec", kernels.WITH_RUST)
def test_uml_has_kernels_with_rust(spec: str) -> None:
    kernels.check("uml", spec)


def test_a_kernel_that_uml_lacks_is_refused_with_those_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "uml_versions", lambda: ["6.12"])
    with pytest.raises(UsageError, match="kernel '5.5' is unknown: uml is built from linux-source 6.12, or debug, rust, rust-debug"):
        kernels.check("uml", "5.5")


def test_the_debug_kernel_with_rust_is_for_uml_alone() -> None:
    with pytest.raises(UsageError, match="kernel 'rust-debug' is for target uml, not qemu"):
        kernels.check("qemu", "rust-debug")


def test_twins_are_found_by_their_names() -> None:
    in_c = ("list", "rbtree")
    assert twins.bases(NAMES) == ["list", "rbtree"]
    assert twins.family("rbtree", NAMES, in_c) == ["rbtree", "rbtree_clang", "rust_rbtree", "rust_rbtree_hand"]
    assert twins.family("list", NAMES, in_c) == ["list", "list_clang", "list_owned", "rust_list"]
    assert twins.opponents("rust_list", NAMES) == ["list", "list_owned"]
    assert twins.opponents("rust_rbtree_hand", NAMES) == ["rbtree"]


def test_rows_separate_the_language_from_the_api() -> None:
    rows = judge.rows(swept())
    of_list = [row for row in rows if row.rust == "rust_list" and (row.op, row.n) == ("fill", 500)]
    assert [(row.against, row.clang, round(row.found.ratio, 3), row.found.word.value, row.of_language) for row in of_list] == [
        ("list", 41.0, 1.25, "slower", False),
        ("list_owned", None, 1.0, "no change", True),
    ]
    assert {row.found.word.value for row in rows if row.rust == "rust_rbtree_hand"} == {"no change"}
    assert len(rows) == 4 * 4


def test_table_has_counts_ratios_and_helpers(capsys: pytest.CaptureFixture[str]) -> None:
    what = swept()
    table.show(judge.rows(what), what, judge.rule(what), {"rust_list/fill": {"kfree": 1.0}, "rust_list/find": {}, "rust_rbtree/find": {}})
    said = capsys.readouterr().out
    assert "1.250 [1.250, 1.250]" in said
    assert "rust_list/fill calls rust_helper_kfree 1.00 times" in said
    assert "no helper is called by rust_list/find, rust_rbtree/find" in said
    assert "16 rows, Rust is: " in said


def test_picture_has_a_panel_for_each_operation_and_the_ratio_one_in_its_axis() -> None:
    what = swept()
    drawn = picture.picture(judge.rows(what), what, judge.rule(what))
    assert [panel.title for panel in drawn.panels] == ["fill", "find"]
    for panel in drawn.panels:
        assert panel.low < 1 < panel.high
        assert [name for name, _ in panel.axis.ticks[:2]] == ["list 500", "list 1000"]
    assert [point.median for point in drawn.panels[0].series[picture.CLANG][:1]] == [41 / 40]


def test_a_result_file_is_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rust.json"
    what = swept()
    results.write(Results({**what.context, drive.HELPERS: {}, drive.ABSENT: {"rust_maple": "error[E0432]: no MapleTree"}}, what.cells), file)
    assert drive.run(made("--from", str(file), "--pictures", str(tmp_path))) == 0
    said = capsys.readouterr()
    assert "rust_list/find/1000" in said.out
    assert "rust_maple is absent, since its module does not build for this kernel: error[E0432]: no MapleTree" in said.err
    assert (tmp_path / "rust.png").stat().st_size > 10_000


def test_cycles_have_a_picture_of_their_own_and_a_verdict_that_may_be_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    what = swept()
    cycles = Results({**what.context, "unit": "tsc", "target": "uml", "accel": ""}, what.cells)
    file = tmp_path / "rust-uml.json"
    results.write(cycles, file)
    assert drive.run(made("--from", str(file), "--pictures", str(tmp_path))) == 0
    said = capsys.readouterr()
    assert "TSC cycles per element or lookup, kernel" in said.out
    assert (tmp_path / "rust-uml.png").exists() and not (tmp_path / "rust.png").exists()


def test_a_file_without_rust_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    results.write(make(sizes=[10], tries=2), file)
    with pytest.raises(HarnessError, match="has no container in Rust beside its twin in C"):
        drive.run(made("--from", str(file), "--pictures", str(tmp_path)))


KBUILD = """\
  RUSTC [M] modules/rust/maple.o
error[E0599]: no method named `insert` found for struct `MapleTree`
  --> /build/modules/rust/maple.rs:12:5
make[4]: *** [/usr/src/linux/scripts/Makefile.build:370: rust/maple.o] Error 1
  CC [M]  modules/rust/list_owned.o
/build/modules/rust/list_owned.c:9:1: error: unknown type name 'foo'
make[4]: *** [/usr/src/linux/scripts/Makefile.build:287: rust/list_owned.o] Error 1
make[3]: *** [/usr/src/linux/scripts/Makefile.build:544: rust] Error 2
ERROR: modpost: "xa_gone" [rust/dsbench_rust_xarray.ko] undefined!
""".splitlines()


def test_the_first_error_of_each_module_that_does_not_build() -> None:
    known = ["rust_list", "rust_maple", "rust_maple_rcu", "rust_xarray", "list_owned", "list_clang"]
    assert rustmodules.failures(KBUILD, known) == {
        "rust_maple": "error[E0599]: no method named `insert` found for struct `MapleTree`",
        "list_owned": "/build/modules/rust/list_owned.c:9:1: error: unknown type name 'foo'",
        "rust_xarray": '"xa_gone" [rust/dsbench_rust_xarray.ko] undefined!',
    }


def test_the_tunnel_is_left_out_if_one_of_its_objects_does_not_build() -> None:
    for lines in (
        ["error[E0425]: cannot find `x`", "make[4]: *** [/usr/src/linux/scripts/Makefile.build:370: rust/tunnel/udptun_rust_main.o] Error 1"],
        ["/b/modules/rust/net/helpers.c:1:2: error: unknown type", "make[4]: *** [Makefile.build:287: rust/tunnel/../net/helpers.o] Error 1"],
        ['ERROR: modpost: "gone" [rust/tunnel/udptun_rust.ko] undefined!'],
    ):
        assert rustmodules.failures(lines, ["rust_list"]) == {"udptun_rust": lines[0].removeprefix("ERROR: modpost: ")}


def test_complaints_of_rustc_begin_with_their_place() -> None:
    assert rustmodules.complaints([
        "warning: unused variable: `warning`", "  --> /build/modules/rust/list.rs:9:5", "   |", "9  |  let warning = 1;", "   = note: a warning",
        "/build/modules/rust/list_owned.c:3:1: warning: unused function", "  CC [M] list.o",
    ]) == [
        "/build/modules/rust/list.rs:9:5: warning: unused variable: `warning`", "/build/modules/rust/list_owned.c:3:1: warning: unused function",
    ]  # fmt: skip


def test_an_error_outside_of_rust_is_no_module() -> None:
    assert rustmodules.failures(["make[4]: *** [Makefile.build:287: core/run.o] Error 1"], ["rust_list"]) == {}


def test_containers_beside_rust_are_found_by_their_files(tmp_path: Path) -> None:
    for name in ("containers/list.c", "containers/idr.c", "rust/rust_list.c", "rust/rust_list_hand.c", "rust/list_owned.c", "rust/list.rs"):
        file = tmp_path / "modules" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert trees.containers(tmp_path) == ["idr", "list"]
    assert trees.rust_containers(tmp_path) == ["rust_list", "rust_list_hand", "list_owned", "list_clang"]


def root_of(tmp_path: Path, config: str) -> BuildRoot:
    root = BuildRoot(tmp_path, "7.3.4-amd64")
    root.headers.mkdir(parents=True)
    (root.headers / ".config").write_text(config, encoding="utf-8")
    return root


def test_a_kernel_without_rust_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="Linux 7.3.4-amd64 is built without CONFIG_RUST"):
        rustroot._require_tools(root_of(tmp_path, "# CONFIG_RUST is not set\n"))


@pytest.mark.parametrize(
    ("rustc", "bindgen", "sentence"),
    [
        ("rustc 1.96.1", "bindgen 0.71.1", "was built with rustc 1.85.1, and trixie has rustc 1.96.1"),
        ("rustc 1.85.1", "bindgen 0.72.0", "was built with bindgen 0.71.1, and trixie has bindgen 0.72.0"),
    ],
)
def test_other_tools_than_the_kernels_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rustc: str, bindgen: str, sentence: str
) -> None:
    root = root_of(tmp_path, 'CONFIG_RUST=y\nCONFIG_RUSTC_VERSION_TEXT="rustc 1.85.1"\nCONFIG_BINDGEN_VERSION_TEXT="bindgen 0.71.1"\n')
    monkeypatch.setattr(proc, "check", lambda argv, **_options: f"{rustc if 'rustc' in argv else bindgen}\n")
    with pytest.raises(HarnessError, match=sentence):
        rustroot._require_tools(root)


def test_without_mmdebstrap_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_INSTALL", "1")
    monkeypatch.setattr(buildroot.packages, "missing", lambda groups: [packages.Entry(("mmdebstrap",))] if "lint" in groups else [])
    monkeypatch.setattr(buildroot.packages, "installable", lambda entries: [str(entry) for entry in entries])
    with pytest.raises(HarnessError, match="missing packages: mmdebstrap .*install them by: .*apt-get install .*mmdebstrap"):
        buildroot._make(tmp_path / "root", "7.3.4-amd64", rustroot.KIND)


def test_the_packages_of_the_root_are_installed_before_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path))
    assert "lint" in plan.needs(made())


def test_without_an_archive_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(buildroot, "mirror", lambda: "http://127.0.0.1:9/debian/")
    with pytest.raises(HarnessError, match="package lists of trixie-backports cannot be fetched: .*127.0.0.1"):
        rustroot.find()


def test_the_disk_is_checked_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_argv: object, **_options: object) -> None:
        raise AssertionError("fetched although the disk is full")

    monkeypatch.setattr(buildroot, "_bootstrap", fetch)
    monkeypatch.setattr(buildroot.packages, "ensure", fetch)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1 << 30})())
    with pytest.raises(HarnessError, match=r"has 1024 MiB free, \d+ MiB are needed"):
        buildroot._make(tmp_path / "root", "7.3.4-amd64", rustroot.KIND)


def test_a_finished_bootstrap_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def bootstrap(tar: Path, release: str, kind: buildroot.Kind) -> None:
        calls.append("bootstrap")
        subprocess.run(["tar", "--create", "--file", tar, "--files-from", "/dev/null"], check=True)

    def finish(root: BuildRoot, work: Path) -> None:
        calls.append("finish")
        if len(calls) < 3:
            raise HarnessError("the crate does not build")

    monkeypatch.setattr(buildroot, "_bootstrap", bootstrap)
    monkeypatch.setattr(buildroot.packages, "ensure", lambda *groups: None)
    monkeypatch.setattr(buildroot, "_require_keyring", lambda: None)
    monkeypatch.setattr(buildroot, "_has_subordinate_ids", lambda: True)
    kind = buildroot.Kind("root", "shelf", (), (), (), (), 0, finish)
    with pytest.raises(HarnessError):
        buildroot._make(tmp_path / "root", "7.3.4", kind)
    buildroot._make(tmp_path / "root", "7.3.4", kind)
    assert calls == ["bootstrap", "finish", "finish"]
    assert (tmp_path / "root" / buildroot.STAMP).read_text(encoding="utf-8") == "7.3.4"


def test_the_two_kinds_of_roots_have_recipes_of_their_own() -> None:
    assert buildroot.recipe() != buildroot.recipe(rustroot.KIND)


def test_names_in_rust_are_readable() -> None:
    mangled = "_RNvXs_Cs123_9rust_listNtB4_3FooNtNtCsdx_4core3ops4Drop4drop"
    found = rustnames.readable(["xas_load", mangled])
    assert found == {mangled: "<rust_list::Foo as core::ops::Drop>::drop"}
    assert rustnames.fits(found[mangled], "drop")
    assert rustnames.fits("loops::find::<rust_list::Foo>", "loops::find")
    assert not rustnames.fits("loops::refind", "find")


def test_helpers_are_counted_per_element() -> None:
    assert helpers.footnotes({"rust_list/fill": {"kfree": 1.0, "page": 0.25}}) == [
        "rust_list/fill calls rust_helper_kfree 1.00 times, rust_helper_page 0.25 times"
    ]


def test_the_table_of_the_readme_is_that_of_the_reference_run() -> None:
    swept = results.read(paths.REFERENCE / "rust.json")
    counts = {(cell.container, cell.op): results.per_work(cell).median for cell in swept.cells if cell.n == 1000}
    shown = 0
    for line in (paths.ROOT / "modules/rust/README.md").read_text(encoding="utf-8").splitlines():
        name, *figures = (cell.strip() for cell in line.strip("|").split("|"))
        container, _, op = name.partition(" ")
        if (container, op) in counts and len(figures) == 7:
            costs = [counts[one, op] for one in (container, f"{container}_clang", f"{container}_owned", f"rust_{container}")]
            ratios = [f"{costs[3] / costs[0]:.2f}", f"{costs[3] / costs[2]:.2f}"]
            assert figures[:6] == [*(f"{cost:,.0f}" if cost >= 1000 else f"{cost:.2f}" for cost in costs), *ratios], name
            shown += 1
    assert shown == 5 * len(CONTAINER_OPS)


def test_the_sentences_on_cycles_are_those_of_the_reference_run() -> None:
    swept = results.read(paths.REFERENCE / "rust-uml.json")
    rows = judge.rows(swept)
    text = (paths.ROOT / "modules/rust/README.md").read_text(encoding="utf-8").partition("## In cycles\n")[2].partition("\n## ")[0]
    of = {(row.rust, row.op): row.found for row in rows if row.of_language and row.n == 1000}
    words = [f"{sum(row.found.word is word for row in rows)} {word.value}" for word in (Word.SLOWER, Word.FASTER, Word.NO_CHANGE, Word.INCONCLUSIVE)]
    ratios = [
        f"{of[f'rust_{name}', op].ratio:.2f} ×"
        for name, op in (("hashtable", "find"), ("hashtable", "for_each"), ("xarray", "find"), ("xarray_rcu", "find"), ("list", "fill"), ("list", "find"))
    ]
    packet = [row.found for row in packets.rows(swept, judge.rule(swept))]
    slower = [found.ratio for found in packet if found.word is Word.SLOWER]
    doubtful = sum(found.word is Word.INCONCLUSIVE for found in packet)
    assert f"The verdicts of its {len(rows)} rows: {', '.join(words)}." in text
    assert re.findall(r"[\d.]+ ×", text)[: len(ratios)] == ratios
    assert f"{doubtful} of {len(packet)} are inconclusive, and {len(slower)} of tx are slower, by {min(slower):.2f} to {max(slower):.2f} ×" in text
    quiet = {of[cell].word for cell in of if "maple" in cell[0] or cell[1] == "for_each" and cell[0] in ("rust_xarray", "rust_list")}
    assert quiet <= {Word.NO_CHANGE, Word.INCONCLUSIVE}


def test_no_module_in_rust_is_built_for_an_ordinary_kernel() -> None:
    """Nothing of Rust may slow down make plots."""
    kbuild = (paths.ROOT / "modules/Kbuild").read_text(encoding="utf-8")
    assert "obj-$(if $(DSBENCH_RUST),m) += rust/" in kbuild


def test_guests_with_modules_in_rust() -> None:
    """make test runs none of them, and counts this one skip. test_rust_*.py has them."""
    lacking = "" if rustroot.built() else f"; the cache has no build root for Rust, which takes {rustroot.MINUTES} minutes more"
    pytest.skip(f"make test-rust builds, loads and tests the modules in Rust, which takes minutes{lacking}")
