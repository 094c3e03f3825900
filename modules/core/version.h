/* SPDX-License-Identifier: GPL-2.0 */
/* The version of the suite. */
#ifndef _DSBENCH_CORE_VERSION_H
#define _DSBENCH_CORE_VERSION_H

#define DSBENCH_VERSION	"0.1.0"

#endif /* _DSBENCH_CORE_VERSION_H */
