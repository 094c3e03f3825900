# SPDX-License-Identifier: GPL-2.0
"""dsbench headline: what each tunnel adds to the bare link, as the table that README.md shows."""
