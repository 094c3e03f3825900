# SPDX-License-Identifier: GPL-2.0
"""The pictures of a result file: which there are, what they show, and drawing them."""
