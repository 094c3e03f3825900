# SPDX-License-Identifier: GPL-2.0
"""Compare the modules of two git revisions, or two kernels, that run in turns."""
