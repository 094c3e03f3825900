# SPDX-License-Identifier: GPL-2.0
"""What the harness finds out about the machine, and what it warns of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dsharness.results import bootparameters, environment
from dsharness.sweep import otherprocesses


def test_facts_of_this_machine() -> None:
    facts = environment.facts()
    assert facts["num_cpus"] == os.cpu_count()
    assert facts["cpu_model"]
    assert len(facts["load_avg"]) == 3
    assert all(cache["size"] > 0 and cache["num_sharing"] >= 1 for cache in facts["caches"])


@pytest.mark.parametrize(
    ("command_line", "recorded"),
    [
        ("", []),
        ("BOOT_IMAGE=/vmlinuz root=UUID=1 ro quiet nokaslr console=ttyS0,115200 panic=-1", []),
        ("init_on_alloc=0 quiet slub_debug=FZPU", ["init_on_alloc=0", "slub_debug=FZPU"]),
        ("mitigations=off nosmt kfence.sample-interval=0 rcutree.kthread_prio=1", ["mitigations=off", "nosmt",
         "kfence.sample-interval=0", "rcutree.kthread_prio=1"]),
        ('init="/a folder/mitigations=off/init" page-poison=1 isolcpus="1,2 3" -- preempt=full', ["page-poison=1", 'isolcpus="1,2 3"']),
        ('damaged" mds=off', []),
    ],
)  # fmt: skip
def test_boot_parameters_that_change_costs(command_line: str, recorded: list[str]) -> None:
    assert bootparameters.recorded(command_line) == recorded


def test_types_of_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hybrid CPU as Linux describes it: two performance cores with two threads each, and four efficiency cores."""
    monkeypatch.setattr(environment, "DEVICES", tmp_path)
    assert environment.core_types([0, 1]) == []
    for name, cpus in (("cpu_core", "0-3\n"), ("cpu_atom", "4-5,6,7\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cpus").write_text(cpus, encoding="ascii")
    assert environment.core_types([0, 3]) == ["performance"]
    assert environment.core_types([6]) == ["efficiency"]
    both = environment.core_types(range(8))
    assert both == ["efficiency", "performance"]
    assert environment.warnings({"core_types": both}) == [
        "cores of several types were used, efficiency and performance: choose one of them by --cpu"
    ]
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {2, 3, 4, 5})
    assert otherprocesses.guest_cpus() == {2, 3}
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {4, 5})
    assert otherprocesses.guest_cpus() == {4, 5}


def test_mitigations_of_what_affects_the_cpu() -> None:
    lines = ["mds: Not affected", "retbleed: Vulnerable", "spectre_v2: Mitigation: Retpolines; STIBP: disabled", "damaged"]
    assert environment.affecting(lines) == {"retbleed": "Vulnerable", "spectre_v2": "Mitigation: Retpolines; STIBP: disabled"}


QUIET = {"load_avg": [0.1, 0.2, 3.0], "num_cpus": 2, "cpu_scaling_enabled": False, "governor": "performance"}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, []),
        ({"load_avg": [1.4, 0, 0]}, []),
        ({"load_avg": [1.6, 0, 0]}, ["load 1.6 on 2 CPUs"]),
        ({"load_avg": [1.6, 0, 0], "num_cpus": 8}, []),
        ({"cpu_scaling_enabled": True, "governor": "powersave"}, ["governor is powersave"]),
    ],
)
def test_warnings_say_what_is_wrong(facts: dict[str, object], words: list[str]) -> None:
    found = environment.warnings({**QUIET, **facts})
    assert len(found) == len(words)
    assert all(word in warning for word, warning in zip(words, found, strict=True))
