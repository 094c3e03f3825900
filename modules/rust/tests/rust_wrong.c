// SPDX-License-Identifier: GPL-2.0
/* The module of rust_wrong, whose operations are in wrong.rs. */

#include "../container.h"

dsbench_rust_container(rust_wrong);
MODULE_DESCRIPTION("dsbench: a container that gives wrong answers, for tests");
