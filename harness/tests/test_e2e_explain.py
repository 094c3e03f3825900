# SPDX-License-Identifier: GPL-2.0
"""dsbench explain in one guest: profiles add up to the counts, which the plugin leaves alone, and name the functions."""

from __future__ import annotations

import pytest
from dsharness import cli
from dsharness.errors import HarnessError
from dsharness.explain import annotate, drive, folded, guest, plan
from dsharness.explain.profile import Profile
from dsharness.gate import baseline
from dsharness.gate.drive import identity_of

CELLS = ("rbtree/find/1000", "rbtree/erase/1000", "xarray/find/1000", "xarray/fill/100", "list/find/100", "llist/*/100", "floor/walk/100",
         "udptun/path/1400", "veth/tx/64", "udptun/path/1400/burst:1", "udptun/path/1400/burst:64", "udptun/rx/64/burst:8")  # fmt: skip
ALLOCATES = ("fill", "erase")


def explained(*words: str) -> guest.Outcome:
    side = plan.checked_plan(cli.parser().parse_args(["explain", *words])).after
    return guest.run(side.plan, side.place, side.tree)


@pytest.fixture(scope="module")
def outcome() -> guest.Outcome:
    """The guest, with the paths of calls and the code of two functions."""
    return explained(*CELLS, "--tries", "3", "--folded", "unused", "--annotate", "xas_load", "--annotate", "rbtree_find")


@pytest.fixture(scope="module")
def profiles(outcome: guest.Outcome) -> dict[str, Profile]:
    return {one.cell.name: one for one in outcome.profiles}


def test_functions_add_up_to_the_reported_count(profiles: dict[str, Profile]) -> None:
    assert set(profiles) >= {name for name in CELLS if "*" not in name}
    for one in profiles.values():
        assert sum(share.instructions for share in one.functions.values()) == one.instructions == one.reported + one.clock
        assert sum(share.loads for share in one.functions.values()) == one.loads
        assert 0 < one.clock <= 50 * one.slices


def test_the_functions_are_those_of_the_operation(profiles: dict[str, Profile]) -> None:
    assert next(iter(profiles["rbtree/find/1000"].functions)) == "rbtree_find [dsbench_rbtree]"
    assert next(iter(profiles["rbtree/erase/1000"].functions)) == "rb_erase"
    assert profiles["rbtree/erase/1000"].functions["rb_erase"].calls == 1000
    assert {"xas_load", "xa_load", "xas_start", "xarray_find [dsbench_xarray]"} <= profiles["xarray/find/1000"].functions.keys()
    assert {"udptun_xmit [udptun]", "__udp4_lib_rcv"} <= profiles["udptun/path/1400"].functions.keys()
    assert "xas_create" in profiles["xarray/fill/100"].functions


def test_cells_of_a_pattern_that_do_not_exist_are_left_out(outcome: guest.Outcome, profiles: dict[str, Profile]) -> None:
    assert {name for name in profiles if name.startswith("llist/")} == {"llist/fill/100", "llist/for_each/100", "llist/erase/100"}
    assert outcome.absent == ["llist/find/100: llist has no find"]


def test_softirqs_run_at_the_end_of_a_burst(profiles: dict[str, Profile]) -> None:
    passes = {name: one.functions["handle_softirqs"].calls for name, one in profiles.items() if name.startswith("udptun/")}
    assert passes == {"udptun/path/1400": 32, "udptun/path/1400/burst:1": 32, "udptun/path/1400/burst:64": 1, "udptun/rx/64/burst:8": 4}


def test_loads_stores_and_lines(profiles: dict[str, Profile]) -> None:
    walk = profiles["floor/walk/100"]
    assert 1 <= walk.each(walk.loads) < 1.5 and 1 <= walk.each(walk.stores) < 1.5 and 1 <= walk.each(walk.lines) < 1.5
    find = profiles["rbtree/find/1000"]
    assert find.each(find.stores) < 0.1 and 1 <= find.each(find.lines) < 1.5 and find.loads > find.taken


def test_the_plugin_changes_no_count(outcome: guest.Outcome, profiles: dict[str, Profile]) -> None:
    """The gate's baseline was counted without the plugin."""
    try:
        known = baseline.find(None, identity_of(outcome.build))
    except HarnessError as error:
        pytest.skip(str(error))
    alone = [name for name in profiles if name in known.counts and name.split("/")[1] not in ALLOCATES and not profiles[name].cell.is_packet]
    assert len(alone) >= 4
    assert {name: profiles[name].reported for name in alone} == {name: known.counts[name].least for name in alone}


def test_the_functions_of_two_sides_stand_next_to_each_other(
    outcome: guest.Outcome, profiles: dict[str, Profile], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each side has its own function, and each row the instructions that ran."""
    drive.show_beside(("xas_load", "rbtree_find"), (profiles["rbtree/find/1000"], outcome), (profiles["xarray/find/1000"], outcome))
    said = capsys.readouterr().out
    assert "rbtree/find/1000: rbtree_find [dsbench_rbtree]" in said and "xarray/find/1000: xas_load" in said
    sides = [[row.split("│")[column : column + 2] for row in said.splitlines() if row.count("│") == 5] for column in (1, 3)]
    for side in sides:
        runs = [float(count.replace(",", "")) for count, _ in side if count.strip()]
        assert max(runs) >= 1


def test_each_instruction_has_its_runs(outcome: guest.Outcome, profiles: dict[str, Profile]) -> None:
    for name, cell in (("xas_load", "xarray/find/1000"), ("rbtree_find", "rbtree/find/1000")):
        profile = profiles[cell]
        (function,) = annotate.running(profile, outcome.symbols.named(name))
        lines = annotate.lines(function, outcome.code[function.address], profile, outcome.symbols, outcome.build)
        assert sum(line.runs for line in lines) == profile.functions[function.shown].instructions
        assert not any(line.text.startswith("(bad)") for line in lines)
    assert any(line.source.startswith("modules/containers/rbtree.c:") for line in lines if line.runs >= profile.elements)


def test_stacks_lead_from_the_slice_to_the_function(outcome: guest.Outcome, profiles: dict[str, Profile]) -> None:
    found = folded.stacks(profiles["xarray/find/1000"], outcome.nodes, outcome.symbols)
    assert sum(found.values()) == profiles["xarray/find/1000"].instructions
    deepest = max(found, key=lambda stack: (stack[-1] == "xas_start", found[stack]))
    assert deepest == ("dsbench_time_slice [dsbench]", "xarray_find [dsbench_xarray]", "xa_load", "xas_load", "xas_start")


@pytest.mark.matrix
@pytest.mark.parametrize("kernel", ["6.1", "6.12", "newest"])
def test_two_runs_give_the_same_instructions_by_function(kernel: str) -> None:
    one, other = (explained("rbtree", "xarray/find", "--kernel", kernel).profiles for _ in range(2))
    assert one and [profile.functions for profile in one] == [profile.functions for profile in other]
