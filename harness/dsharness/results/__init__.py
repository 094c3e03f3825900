# SPDX-License-Identifier: GPL-2.0
"""What was measured: samples and cells, result files with their schemas, floors, and tables for the terminal."""
