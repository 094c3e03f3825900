# SPDX-License-Identifier: GPL-2.0
"""The READMEs: every command works, or at least parses; every link leads somewhere; the figures are those of the reference runs."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import readmes
from dsharness import packages, paths, targets
from dsharness.kernel import tools, trees

NAMES = (
    "README.md", "modules/README.md", "modules/tunnel/README.md", "harness/README.md", "results/README.md", "plots/README.md",
)  # fmt: skip
README = readmes.read(paths.ROOT, "README.md")
ALL = [readmes.read(paths.ROOT, name) for name in NAMES]
BLOCKS = [block for readme in ALL for block in readme.blocks if block.commands]
MOST_LINES = 220
MAKE_HELP_COLUMNS = 100
MARK = "@ next command @"
"""Printed before the output of each command in the guest."""
each_readme = pytest.mark.parametrize("readme", ALL, ids=NAMES)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with the files of the working tree, for the commands that write into the project."""
    folder = tmp_path_factory.mktemp("clone")
    subprocess.run(["git", "clone", "--quiet", "--shared", "--no-checkout", paths.ROOT, folder], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=paths.ROOT, check=True, capture_output=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (paths.ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(paths.ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def ran(copy: Path) -> list[str]:
    """Run the commands that a README shows without a comment, in a copy of the project. Return the complaints."""
    complaints = []
    for block in (block for block in BLOCKS if block.mode == "run"):
        for command in block.commands:
            ended = subprocess.run(
                ["/bin/bash", "-euc", command.text], cwd=copy, check=False, capture_output=True, text=True, timeout=120
            )
            if ended.returncode:
                complaints.append(f"{block.where}: {command.text.strip()}: status {ended.returncode}: {ended.stderr.strip()}")
            elif block.language == "console" and (complaint := readmes.output_complaint(command.output, ended.stdout)):
                complaints.append(f"{block.where}: {command.text}: {complaint}")
    return complaints


@pytest.fixture(scope="module")
def checker(copy: Path, ran: list[str]) -> Iterator[readmes.Checker]:
    """Checks commands after the others ran, because some of them use the container that one of the others makes."""
    checker = readmes.Checker(copy)
    yield checker
    checker.close()


def test_the_main_readme_is_short() -> None:
    assert README.text.count("\n") <= MOST_LINES


def test_make_help_fits_a_terminal() -> None:
    text = subprocess.run(["make", "help"], cwd=paths.ROOT, check=True, capture_output=True, text=True).stdout
    assert [line for line in text.splitlines() if len(line) > MAKE_HELP_COLUMNS] == []


def test_every_command_is_in_the_table(checker: readmes.Checker) -> None:
    table = re.search(r"^\| command \| make \|.*?\n\n", README.text, re.MULTILINE | re.DOTALL)
    assert table
    first_cells = [row.split("|")[1] for row in table[0].splitlines()[2:] if row]
    listed = [name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(listed) == sorted(checker.options)
    shown = subprocess.run([paths.HARNESS / "dsbench", "--help"], check=True, capture_output=True, text=True).stdout
    assert [name for name in listed if not re.search(rf"^\s+{name}(?:\s|$)", shown, re.MULTILINE)] == []


def test_every_package_is_in_the_table() -> None:
    rows = re.findall(r"^\| (\S+) \| ([^|]+) \| [\d.]+ MB \|$", README.text, re.MULTILINE)
    assert {group: listed.split() for group, listed in rows} == {group: [str(entry) for entry in entries] for group, entries in packages.groups().items()}


def test_every_parameter_and_container_is_in_a_table(checker: readmes.Checker) -> None:
    text = readmes.read(paths.ROOT, "modules/README.md").text
    parameters, containers = (text.partition(f"\n## {title}\n")[2].partition("\n#")[0] for title in ("Parameters", "Containers"))
    ours = re.findall(r"^\| `(\w+)` \|", parameters, re.MULTILINE)
    assert sorted(ours) == sorted(checker.parameters["dsbench"])
    named = re.findall(r"^\| `(\w+)` \|", containers, re.MULTILINE)
    assert sorted(named) == sorted(source.stem for source in (paths.ROOT / "modules/containers").glob("*.c"))


def test_every_folder_of_the_harness_is_described() -> None:
    text = readmes.read(paths.ROOT, "harness/README.md").text.partition("\n## Architecture\n")[2]
    described = re.findall(r"^  (\w+)/ ", text, re.MULTILINE)
    assert sorted(described) == sorted(module.parent.name for module in (paths.HARNESS / "dsharness").glob("*/__init__.py"))


@each_readme
def test_blocks_say_what_they_are(readme: readmes.Readme) -> None:
    assert list(readmes.block_complaints(readme)) == []


@each_readme
def test_links_lead_somewhere(readme: readmes.Readme) -> None:
    assert list(readmes.link_complaints(readme)) == []


def test_commands_run(ran: list[str]) -> None:
    assert ran == []


@each_readme
def test_commands_parse(readme: readmes.Readme, checker: readmes.Checker) -> None:
    complaints = []
    for block in (block for block in readme.blocks if block.mode != "run"):
        complaints += [f"{block.where}: {text}" for command in block.commands for text in checker.script(command.text)]
    complaints += [f"{readme.name}: `{code}`: {text}" for code in readme.inline for text in checker.inline(code)]
    assert complaints == []


def test_commands_run_in_a_guest() -> None:
    """All blocks for a guest run in one: those of each README in a shell of their own, with nothing loaded."""
    unload = "for one in $(lsmod | awk '/^dsbench_|^udptun/ { print $1 }') dsbench; do rmmod $one 2>/dev/null || true; done\n"
    script, commands = 'PATH="$PATH:$PWD"\n', []
    for readme in ALL:
        blocks = [block for block in readme.blocks if block.mode == "guest"]
        if blocks:
            inside = [(block, command) for block in blocks for command in block.commands]
            body = "".join(f"printf '{MARK}'\n{command.text}\n" for _, command in inside)
            script += f"(\nset -e\n{body})\nstatus=$?\n[ $status = 0 ] || exit $status\n{unload}"
            commands += inside
    ended = targets.get("uml", network=True).run(["sh", "-c", script], files=[tools.udptunctl()], timeout=120)
    printed = ended.stdout.decode()
    assert ended.status == 0, f"{printed}\n{ended.stderr.decode(errors='replace')}"
    assert re.search(r"^rbtree +find +2000 +10 ", printed, re.MULTILINE)
    outputs = printed.split(MARK)[1:]
    assert len(outputs) == len(commands)
    complaints = [
        f"{block.where}: {command.text}: {complaint}"
        for (block, command), output in zip(commands, outputs, strict=True)
        if block.language == "console" and (complaint := readmes.output_complaint(command.output, output))
    ]
    assert complaints == []


def test_a_readme_is_no_source_of_the_modules(tmp_path: Path) -> None:
    """An edited README must neither rebuild the modules nor make a curve begin anew."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/list.c").write_text("int list;\n")
    tree = trees.Tree("a tree", "unknown", tmp_path, tmp_path / "build")
    before = tree.digest
    (tmp_path / "modules/README.md").write_text("# list\n")
    assert tree.digest == before
    (tmp_path / "modules/list.c").write_text("int lost;\n")
    assert tree.digest != before


def figure(text: str, digits: int) -> str:
    """A figure of a result file as the tables show it."""
    value = float(text)
    return f"{value:,.0f}" if value >= 1000 else f"{value:.{digits}f}"


@pytest.mark.parametrize(
    ("name", "ops", "n", "column", "digits", "alias"),
    [
        ("results/README.md", ("fill", "find", "for_each", "erase"), "4000", "per_element", 2, {}),
        ("modules/tunnel/README.md", ("tx", "rx", "path"), "1400", "per_packet", 0,
         {"veth, the bare link": "veth", "**udptun**": "udptun", "fou (ipip)": "fou"}),
    ],
)  # fmt: skip
def test_figures_are_those_of_the_reference_runs(
    name: str, ops: tuple[str, ...], n: str, column: str, digits: int, alias: dict[str, str]
) -> None:
    found = {}
    for unit in ("uml", "qemu-icount"):
        with (paths.REFERENCE / f"{unit}.csv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["n"] == n and row[column] and row["burst"] in ("", "0")]
        found[unit] = {(row["container"], row["op"]): figure(row[column], digits) for row in rows}
    checked = 0
    for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in readmes.read(paths.ROOT, name).prose.splitlines()):
        subject = alias.get(cells[0], cells[0])
        if len(cells) == 1 + 2 * len(ops) and any(key[0] == subject for key in found["uml"]):
            assert cells[1:] == [found[unit].get((subject, op), "absent") for op in ops for unit in ("uml", "qemu-icount")], subject
            checked += 1
    assert checked == len({key[0] for key in found["uml"] if key[0] != "floor"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("harness/dsbench swep", "invalid choice"),
        ("harness/dsbench sweep --size-of-all 4", "option --size-of-all is unknown"),
        ("harness/dsbench exec --target qemu -- sh -c 'insmod dsbench.ko trys=4'", "no parameter trys"),
        ("for c in list lost; do harness/dsbench sweep --tries 5 --speed $c; done", "option --speed is unknown"),
        ("make bots", "no target bots"),
        ("make plots TRY=3", "make plots does not take TRY: it takes "),
        ("make test-nothing", "no target"),
        ("insmod dsbench_tree.ko", "no module dsbench_tree.ko"),
        ("insmod dsbench_hashtable.ko bits=4 byts=4", "no parameter byts"),
        ("rmmod dsbench_lost", "no module dsbench_lost"),
        ("harness/dsbensh plot", "No such file"),
        ("nosuchcommand", "no command nosuchcommand"),
        ("echo $(", "the shell says"),
    ],
)
def test_a_stale_command_is_found(checker: readmes.Checker, text: str, complaint: str) -> None:
    assert complaint in "\n".join(checker.script(text))


@pytest.mark.parametrize("code", ["make bots", "harness/dsbench swep", "harness/dsbench plot --paint", "--paint", "make sweep SIZE=3"])
def test_stale_inline_code_is_found(checker: readmes.Checker, code: str) -> None:
    assert list(checker.inline(code))


@pytest.mark.parametrize(
    "text",
    ["[a](lost.md)", "![a](plots/reference/lost.png)", "[a](#lost)", "[a](harness/README.md#lost)", "`modules/lost.c`", "`harness/*.lost`"],
)
def test_a_broken_link_is_found(text: str) -> None:
    assert len(list(readmes.link_complaints(readmes.Readme(paths.ROOT, paths.ROOT / "README.md", text)))) == 1


@pytest.mark.parametrize("text", ["```\nls\n```\n", "<!-- test: never -->\n```sh\nls\n```\n", "<!-- test: parse -->\n\n```sh\nls\n```\n"])
def test_a_block_that_nothing_tests_is_found(text: str) -> None:
    assert len(list(readmes.block_complaints(readmes.Readme(paths.ROOT, paths.ROOT / "README.md", text)))) == 1


@pytest.mark.parametrize(
    ("shown", "stale"),
    [
        (["a 1.5", "b"], False), (["..."], False), (["a 2", "..."], False), (["...", "b"], False),
        (["b"], True), (["a 1"], True), (["...", "c"], True),
    ],
)  # fmt: skip
def test_stale_output_is_found(shown: list[str], stale: bool) -> None:
    assert bool(readmes.output_complaint(shown, "a   17,000\nb\n")) is stale
