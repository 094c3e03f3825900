# SPDX-License-Identifier: GPL-2.0
"""Compare the containers in Rust with their twins in C, by counts of instructions."""
