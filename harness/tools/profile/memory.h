/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that grows. A plugin cannot return errors, so a failure ends QEMU. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/*
 * Print a message in QEMU's manner, which the harness looks for, and end QEMU.
 */
__attribute__((format(printf, 1, 2), noreturn))
void fatal(const char *format, ...);

/* Allocate @count zeroed objects of @size bytes. */
void *allocate(size_t count, size_t size);

/*
 * Make room for more than @used objects of @size bytes at @objects, of which
 * *@room fit now. New objects are zeroed. Return their new address.
 */
void *enlarge(void *objects, size_t used, size_t *room, size_t size);

#endif /* MEMORY_H */
