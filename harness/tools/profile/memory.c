// SPDX-License-Identifier: GPL-2.0
/* Memory that grows. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define LEAST_ROOM	64

void fatal(const char *format, ...)
{
	va_list arguments;

	fputs("qemu-system-x86_64: profile plugin: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

void *allocate(size_t count, size_t size)
{
	void *objects = calloc(count, size);

	if (!objects)
		fatal("no memory for %zu objects of %zu bytes", count, size);
	return objects;
}

void *enlarge(void *objects, size_t used, size_t *room, size_t size)
{
	size_t more = *room ? *room : LEAST_ROOM;

	if (used < *room)
		return objects;

	while (more <= used)
		more *= 2;
	objects = reallocarray(objects, more, size);
	if (!objects)
		fatal("no memory for %zu objects of %zu bytes", more, size);
	memset((char *)objects + *room * size, 0, (more - *room) * size);
	*room = more;
	return objects;
}
