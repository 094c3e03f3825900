# SPDX-License-Identifier: GPL-2.0
"""Time every container and operation from n = 1 on, and fit the growth of the cost of one element."""
