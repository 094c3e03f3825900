/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included before all else when sparse reads the modules: what 0.6.4 cannot parse of newer kernels' headers.
 */

/* Since 6.15; typeof keeps the qualifiers, which matters to no finding. */
#define __typeof_unqual__ typeof

/* Some ask for __builtin_strlen() of a literal, no constant to sparse; the compiler proves all of them anyway. */
#define _Static_assert(...)
