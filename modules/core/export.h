/* SPDX-License-Identifier: GPL-2.0 */
/* Symbols that only the KUnit suites use. */
#ifndef _DSBENCH_CORE_EXPORT_H
#define _DSBENCH_CORE_EXPORT_H

#include <linux/build_bug.h>
#include <linux/export.h>

/* The KUnit suites are a module of their own: they see what is exported so. */
#if IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(symbol)	EXPORT_SYMBOL_GPL(symbol)
#else
#define EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(symbol)	static_assert(sizeof(typeof(symbol) *))
#endif

#endif /* _DSBENCH_CORE_EXPORT_H */
