#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Turn features of network devices on or off, and check that they are so.

    features.py PATTERN=on|off[,...] DEVICE...    PATTERN: names of ethtool -k, with *

Features that a device cannot change stay as they are.
"""

from __future__ import annotations

import fnmatch
import sys

import ethtool


def turn(device: str, pattern: str, on: bool) -> None:
    """Turn the features on or off. SystemExit with a sentence if one does not follow."""
    chosen = [name for name, feature in ethtool.features(device).items() if feature.changeable and fnmatch.fnmatch(name, pattern)]
    for name in chosen:
        ethtool.set_feature(device, name, on)
    after = ethtool.features(device)
    if stubborn := [name for name in chosen if after[name].active != on]:
        sys.exit(f"{device} does not turn {', '.join(stubborn)} {'on' if on else 'off'}")


def main(settings: str, *devices: str) -> None:
    """Apply all settings to all devices, in order."""
    for device in devices:
        for setting in settings.split(","):
            pattern, _, value = setting.partition("=")
            turn(device, pattern, value == "on")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        sys.exit(str(error))
