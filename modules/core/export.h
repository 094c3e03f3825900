/* SPDX-License-Identifier: GPL-2.0 */
/* Symbols that only the KUnit suites use. */
#ifndef _DSBENCH_CORE_EXPORT_H
#define _DSBENCH_CORE_EXPORT_H

#include <linux/build_bug.h>
#include <linux/export.h>

/*
 * The KUnit suites, and those of ../rust/tests, are modules of their own: they
 * see what is exported so.
 */
#if IS_ENABLED(CONFIG_KUNIT) || defined(DSBENCH_EXPORTS_FOR_TESTS)
#define EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(symbol)	EXPORT_SYMBOL_GPL(symbol)
#else
#define EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(symbol)	static_assert(sizeof(typeof(symbol) *))
#endif

#endif /* _DSBENCH_CORE_EXPORT_H */
