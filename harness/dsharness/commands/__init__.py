# SPDX-License-Identifier: GPL-2.0
"""Commands of one module each, which need no package of their own."""
