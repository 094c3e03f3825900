# SPDX-License-Identifier: GPL-2.0
"""Measurements: samples and cells, result files with their schemas, floors, and tables for the terminal."""
