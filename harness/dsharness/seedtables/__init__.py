# SPDX-License-Identifier: GPL-2.0
"""The report that this suite follows: its tables, measured by its method, beside ours."""
