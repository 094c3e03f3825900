# SPDX-License-Identifier: GPL-2.0
# bindgen without the kernel's bindgen_parameters: they use a feature that modules may not. The target's bindgen_items
# say what the bindings have.
quiet_cmd_bindgen = BINDGEN [M] $@
      cmd_bindgen = $(BINDGEN) $< --use-core --ctypes-prefix kernel::ffi --rust-target 1.85 --no-doc-comments \
	--no-debug '.*' $(bindgen_items) --blocklist-type '__kernel_s?size_t' \
	--raw-line '// SPDX-License-Identifier: GPL-2.0' \
	--raw-line '\#![allow(clippy::all, clippy::cast_lossless, clippy::ptr_as_ptr, clippy::ref_as_ptr)]' \
	--raw-line '\#![allow(clippy::undocumented_unsafe_blocks)]' \
	--raw-line '\#![allow(dead_code, missing_docs, non_camel_case_types, non_upper_case_globals)]' \
	--raw-line '\#![allow(improper_ctypes, non_snake_case, unreachable_pub, unsafe_op_in_unsafe_fn)]' \
	--raw-line 'type __kernel_size_t = usize;' -o $@ \
	-- $(filter-out $(skip_c_flags),$(c_flags)) -w --target=$(clang_target) -fno-builtin -D__BINDGEN__ -DMODULE

include $(src)/$(rust_folder)flags.mk
