/* SPDX-License-Identifier: GPL-2.0 */
/* What the Rust code sees of the core: bindgen makes bindings.rs of this file. */
#ifndef _DSBENCH_RUST_BINDINGS_H
#define _DSBENCH_RUST_BINDINGS_H

#include <linux/xarray.h>

#include <dsbench/bench.h>
#include <dsbench/compat.h>

/* Macros that bindgen cannot evaluate. */
enum {
	DSBENCH_RUST_XA_CHUNK_SIZE = XA_CHUNK_SIZE,
	DSBENCH_RUST_MAPLE_IRQS_ON = DSBENCH_MAPLE_IRQS_ON,
};

/* dsbench_see(), which is inline. */
int dsbench_rust_see(struct dsbench_set *set, struct dsbench_elem *e);

#endif /* _DSBENCH_RUST_BINDINGS_H */
