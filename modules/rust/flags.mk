# SPDX-License-Identifier: GPL-2.0
# clang_target: the target for clang and libclang, which know none of the name um.
clang_target := $(if $(CONFIG_UML),x86_64,$(UTS_MACHINE))-linux-gnu

# skip_c_flags: flags of gcc that clang and libclang do not know. The kernel keeps the list for its own bindgen.
skip_c_flags := $(shell sed -n '/^bindgen_skip_c_flags :=/,/[^\\]$$/{ s/^bindgen_skip_c_flags :=//; s/\\$$//; p }' $(objtree)/rust/Makefile)
