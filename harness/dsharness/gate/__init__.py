# SPDX-License-Identifier: GPL-2.0
"""Count instructions against a baseline, and fail when code costs more."""
