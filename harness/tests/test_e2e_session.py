# SPDX-License-Identifier: GPL-2.0
"""Sessions of guests.py: each test gets the output of its own script, and answers for what its own script does."""

from __future__ import annotations

from pathlib import Path

import pytest
from dsharness import targets
from guests import Script, Session

pytestmark = pytest.mark.xdist_group("uml-modules")


def session(folder: Path, timeout: float = 60, **texts: str) -> Session:
    """A session in the UML guest that has run these scripts."""
    scripts = {name: (Script(text, 0, timeout, False, ()), text) for name, text in texts.items()}
    found = Session(targets.get("uml"), scripts)
    found.run(folder)
    return found


def test_scripts_do_not_see_each_other(tmp_path: Path) -> None:
    look = "lsmod | grep -c dsbench; grep -c /mnt /proc/mounts; ls /tmp; ip netns list; ip link | grep -c near; dmesg; pgrep sleep; printf end"
    ran = session(
        tmp_path,
        before=look,
        dirty="""
            modprobe dsbench; mount -t tmpfs none /mnt; sleep 1000 & ip netns add far; ip link add near type veth peer name far
            echo planted > /dev/kmsg; touch /tmp/file; echo out; echo error >&2
        """,
        after=look,
        failed="echo out; exit 3",
        trouble="echo BUG: planted > /dev/kmsg",
        last="echo last",
    )
    assert ran.output("dirty") == "out\n"
    assert ran.output("before") == ran.output("after") == "0\n0\n0\nend"
    with pytest.raises(AssertionError, match="status 3 instead of 0"):
        ran.output("failed")
    with pytest.raises(AssertionError, match="BUG: planted"):
        ran.output("trouble")
    assert ran.output("last") == "last\n"
    assert all(ran.seconds(name) > 0 for name in ran.scripts)


def test_a_script_that_leaves_something_ends_the_session(tmp_path: Path) -> None:
    ran = session(tmp_path, first="echo first", second="touch left-behind", third="echo third")
    assert ran.output("first") == "first\n"
    with pytest.raises(pytest.fail.Exception, match=r"the script left the guest in another state:\n(?s:.*)file left-behind"):
        ran.output("second")
    with pytest.raises(pytest.fail.Exception, match="not run: second ended the guest or left it"):
        ran.output("third")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("echo out; busybox poweroff -f; sleep 60", "the uml guest ended before its command did"),
        ("echo out; while :; do :; done", "the script did not end within 5 s"),
    ],
)
def test_a_script_that_hangs_or_ends_the_guest(tmp_path: Path, fault: str, reason: str) -> None:
    ran = session(tmp_path, 5, first="echo first", second=fault, third="echo third")
    assert ran.output("first") == "first\n"
    with pytest.raises(pytest.fail.Exception, match=rf"ended the guest: {reason}(?s:.*)\nout\n"):
        ran.output("second")
    with pytest.raises(pytest.fail.Exception, match="not run: second ended the guest or left it"):
        ran.output("third")
