# SPDX-License-Identifier: GPL-2.0
"""Compare result files with the first: the verdicts, and how they are shown."""
