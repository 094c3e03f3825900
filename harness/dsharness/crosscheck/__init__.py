# SPDX-License-Identifier: GPL-2.0
"""Checks of the suite against independent measurements: the kernel's own tests, ktime, and loops of known length."""
