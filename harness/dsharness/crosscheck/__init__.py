# SPDX-License-Identifier: GPL-2.0
"""Check the suite against what it did not write: the kernel's own tests, ktime, and loops of known length."""
