# SPDX-License-Identifier: GPL-2.0
"""Reads README files: their fenced blocks, links and inline code, and checks the commands that they show without running them.

The language of a fenced block says what it is:

- console: commands behind "$ ", each followed by lines of its output, where "..." stands for any number of lines
- sh: a script
- text: neither

A comment on the line above the fence says how the commands are tested: `<!-- test: parse -->`, because they take long, need
root or change the machine; `<!-- test: guest -->`, in a guest. Without a comment they run for real, in a copy of the project.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PYTHON = "/usr/bin/python3"
MODES = ("run", "parse", "guest")
LANGUAGES = ("console", "sh", "text")
FENCE = re.compile(r"(?:^<!-- test: (?P<mode>\S+) -->\n)?^```(?P<language>\S*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`((?:[^`\n]|\n(?!\n))+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
REPOSITORY_PATH = re.compile(r"(?:harness|modules|include|results/reference|plots/reference)/[\w./+-]*")
MODULE = re.compile(r"(?:\./)?([a-z]\w*?)(?:\.ko)?")
PARAMETER = re.compile(r"MODULE_PARM_DESC\((\w+),")
OF_EVERY_CONTAINER = frozenset({"n", "tries"})
"""Parameters that dsbench_container_module() gives to each container."""

# Answers a JSON list of arguments per line with a JSON string: the complaint of the command line, or "". Files that an earlier
# command of the README would have made are no complaint.
PARSE = """
import contextlib, io, json, sys
sys.path.insert(0, sys.argv[1])
from dsharness import cli
from dsharness.errors import HarnessError, UsageError
top = cli.parser()
for line in sys.stdin:
    complaint, said = "", io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            args = top.parse_args(json.loads(line))
        if check := getattr(args, "check", None):
            check(args)
    except UsageError as error:
        complaint = str(error)
    except HarnessError:
        pass
    except SystemExit as end:
        complaint = said.getvalue().strip().splitlines()[-1] if end.code else ""
    print(json.dumps(complaint), flush=True)
"""

# Answers with the options of each command as JSON.
OPTIONS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from dsharness import cli
actions = next(action.choices for action in cli.parser()._actions if action.choices)
print(json.dumps({name: sorted(parser._option_string_actions) for name, parser in actions.items()}))
"""

# Every command of a script is recorded instead of run: the shell expands loops, variables and quotes.
RECORD = """
PATH=/nonexistent
command_not_found_handle() { printf '%s\\0' "$@" $'\\x1e' >&3; }
"""
RECORDED = ("harness/dsbench", "build/udptunctl", PYTHON)


@dataclass(frozen=True)
class Command:
    """One command of a console block, or the whole script of a sh block."""

    text: str
    output: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    where: str
    language: str
    mode: str
    body: str

    @property
    def commands(self) -> list[Command]:
        if self.language == "sh":
            return [Command(self.body)]
        if self.language != "console":
            return []
        found: list[tuple[str, list[str]]] = []
        for line in self.body.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found:
                found[-1][1].append(line)
        return [Command(text, tuple(output)) for text, output in found]


@dataclass(frozen=True)
class Readme:
    """A README file."""

    root: Path
    path: Path
    text: str = field(repr=False)

    @property
    def name(self) -> str:
        return str(self.path.relative_to(self.root))

    @property
    def blocks(self) -> list[Block]:
        return [
            Block(f"{self.name}:{self.text.count(chr(10), 0, match.start()) + 1}", match["language"], match["mode"] or "run", match["body"])
            for match in FENCE.finditer(self.text)
        ]

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return FENCE.sub("", self.text)

    @property
    def inline(self) -> list[str]:
        return [" ".join(code.split()) for code in INLINE.findall(self.prose)]


def read(root: Path, name: str) -> Readme:
    """Read a README of the project at `root`."""
    return Readme(root, root / name, (root / name).read_text(encoding="utf-8"))


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while (unique := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(unique)
    return found


def block_complaints(readme: Readme) -> Iterator[str]:
    """Blocks without a known language or mode, and comments that belong to no block."""
    for block in readme.blocks:
        if block.language not in LANGUAGES:
            yield f"{block.where}: the language of the block is {block.language!r}, none of {', '.join(LANGUAGES)}"
        if block.mode not in MODES:
            yield f"{block.where}: the test is {block.mode!r}, none of {', '.join(MODES)}"
        if block.language == "console" and not block.commands:
            yield f"{block.where}: a console block without a command"
    if "<!-- test:" in readme.prose:
        yield f"{readme.name}: a test comment that is not on the line above a block"


def link_complaints(readme: Readme) -> Iterator[str]:
    """Links and pictures whose file or anchor is missing, and inline code that names a missing file of the project."""
    for target in LINK.findall(readme.prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = readme.path.parent / name if name else readme.path
        if not file.exists():
            yield f"{readme.name}: {target} does not exist"
        elif anchor and (file.suffix != ".md" or anchor not in anchors(file.read_text(encoding="utf-8"))):
            yield f"{readme.name}: {target} has no such heading"
    for code in readme.inline:
        if REPOSITORY_PATH.fullmatch(code) and not (readme.root / code).exists():
            yield f"{readme.name}: the file `{code}` does not exist"
    for pattern in (code for code in readme.inline if re.fullmatch(r"(?:harness|modules|include)/[\w./*-]+", code) and "*" in code):
        if not any(readme.root.glob(pattern)):
            yield f"{readme.name}: no file matches `{pattern}`"


class Checker:
    """Checks commands without running them, against the command line, the Makefile and the modules of the project at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        argv = [PYTHON, "-c", PARSE, str(root / "harness")]
        self._parser = subprocess.Popen(argv, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.options: dict[str, list[str]] = json.loads(self._output(PYTHON, "-c", OPTIONS, str(root / "harness")))
        """The options of each command of harness/dsbench."""
        makefile = (root / "Makefile").read_text(encoding="utf-8")
        self.targets = set(re.findall(r"^([a-z_-]+):", makefile, re.MULTILINE))
        self.parameters = self._parameters()
        """The parameters of each module."""

    def close(self) -> None:
        """End the process that parses."""
        self._parser.communicate()

    def script(self, text: str) -> Iterator[str]:
        """Complaints of all commands of a shell script."""
        with tempfile.TemporaryFile() as record:
            functions = "".join(f'{name}() {{ command_not_found_handle {name} "$@"; }}\n' for name in RECORDED)
            told = subprocess.run(
                ["/bin/bash", "-c", f"exec 3>&{record.fileno()}\n{functions}{RECORD}{text}"], cwd=self.root,
                pass_fds=[record.fileno()], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )  # fmt: skip
            record.seek(0)
            *commands, _ = record.read().decode().split("\x1e\0")
        if told.returncode or told.stderr:
            yield f"the shell says: {told.stderr.strip() or told.returncode}"
        for command in commands:
            yield from self.command(command.split("\0")[:-1])

    def command(self, argv: Sequence[str]) -> Iterator[str]:
        """Complaints of one command."""
        name, *arguments = argv
        if name == "harness/dsbench":
            yield from self._dsbench(arguments)
        elif name == "make":
            yield from self._make(arguments)
        elif name in ("insmod", "modprobe"):
            yield from self._load(arguments)
        elif name == "rmmod":
            yield from (f"there is no module {module}" for module in arguments if module not in self.parameters)
        elif name in ("sudo", "nice"):
            yield from self.command(arguments)
        elif name == "sh" and arguments[0] == "-c":
            yield from self.script(arguments[1])
        elif name not in ("udptunctl", "build/udptunctl", "pytest") and not shutil.which(name):
            yield f"there is no command {name}"

    def inline(self, code: str) -> Iterator[str]:
        """Complaints of a command in running text, where words in capitals stand for values."""
        words = code.split()
        if words[:1] == ["make"] and len(words) > 1:
            yield from self._make(words[1:])
        elif words[:1] == ["harness/dsbench"] and len(words) > 1 and words[1] != "COMMAND":
            known = self.options.get(words[1])
            if known is None:
                yield f"harness/dsbench has no command {words[1]}"
            yield from (f"{words[1]} has no option {word}" for word in words[2:] if word.startswith("--") and word not in (known or ()))
        elif code.startswith("--"):
            if not any(words[0] in known for known in self.options.values()):
                yield f"no command has an option {words[0]}"

    def _dsbench(self, arguments: Sequence[str]) -> Iterator[str]:
        assert self._parser.stdin and self._parser.stdout
        self._parser.stdin.write(json.dumps(list(arguments)) + "\n")
        self._parser.stdin.flush()
        if complaint := json.loads(self._parser.stdout.readline()):
            yield f"harness/dsbench {' '.join(arguments)}: {complaint}"
        elif arguments[0] == "exec" and "--" in arguments:
            yield from self.command(arguments[arguments.index("--") + 1 :])

    def _make(self, arguments: Sequence[str]) -> Iterator[str]:
        targets = [word for word in arguments if "=" not in word and not word.startswith("-")]
        if unknown := [target for target in targets if target not in self.targets]:
            yield f"the Makefile has no target {unknown[0]}"
            return
        told = subprocess.run(["make", "-n", "--no-print-directory", *arguments], cwd=self.root, check=False, capture_output=True, text=True)
        if told.returncode:
            yield told.stderr.strip()
        elif targets != ["help"]:
            yield from self.script(told.stdout)

    def _load(self, arguments: Sequence[str]) -> Iterator[str]:
        file, *settings = arguments
        match = MODULE.fullmatch(file)
        known = self.parameters.get(match[1]) if match else None
        if known is None:
            yield f"there is no module {file}"
            return
        for name in (setting.partition("=")[0] for setting in settings):
            if name not in known:
                yield f"{file} has no parameter {name}"

    def _parameters(self) -> dict[str, set[str]]:
        modules = self.root / "modules"
        found = {f"dsbench_{path.stem}": set(OF_EVERY_CONTAINER | parameters(path)) for path in modules.glob("containers/*.c")}
        for name, folder in (("dsbench", "core"), ("dsbench_tunnel", "datapath"), ("udptun", "tunnel")):
            found[name] = {one for path in (modules / folder).glob("*.c") for one in parameters(path)}
        return found

    def _output(self, *argv: str) -> str:
        return subprocess.run(argv, cwd=self.root, check=True, capture_output=True, text=True).stdout


def parameters(source: Path) -> frozenset[str]:
    """The module parameters that a source file declares."""
    return frozenset(PARAMETER.findall(source.read_text(encoding="utf-8")))


def output_complaint(shown: Sequence[str], printed: str) -> str:
    """Return how the output that a README shows differs from what its command printed, numbers aside; "" if it does not."""
    lines = [_normal(line) for line in printed.splitlines()]
    at, anywhere = 0, False
    for line in shown:
        if line.strip() == "...":
            anywhere = True
            continue
        places = range(at, len(lines)) if anywhere else range(at, min(at + 1, len(lines)))
        found = next((place for place in places if lines[place] == _normal(line)), None)
        if found is None:
            return f"it does not print {line!r}"
        at, anywhere = found + 1, False
    return "" if anywhere or at == len(lines) else f"it also prints {printed.splitlines()[at]!r}"


def _normal(line: str) -> str:
    """The line with every number as 0, and one space between words."""
    return " ".join(re.sub(r"\d+(?:[.,]\d+)*", "0", line).split())
