/* SPDX-License-Identifier: GPL-2.0 */
/* The C part of a container in Rust: its registration and the inline functions that it calls. */
#ifndef _DSBENCH_RUST_CONTAINER_H
#define _DSBENCH_RUST_CONTAINER_H

#include "bindings.h"

/**
 * dsbench_rust_container() - define the module of a container in Rust
 * @container: name of the container; its table, container_ops, is in Rust
 *
 * The kernel crate's module!() cannot define the parameters of a container.
 */
#define dsbench_rust_container(container)				\
extern const struct dsbench_ops container##_ops;			\
									\
int dsbench_rust_see(struct dsbench_set *set, struct dsbench_elem *e)	\
{									\
	return dsbench_see(set, e);					\
}									\
									\
dsbench_container_module(container)

#endif /* _DSBENCH_RUST_CONTAINER_H */
