# SPDX-License-Identifier: GPL-2.0
"""How far this suite's own figures can be trusted on this machine."""
