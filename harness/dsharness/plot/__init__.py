# SPDX-License-Identifier: GPL-2.0
"""The pictures of a result file: their selection, their content, and their drawing."""
