// SPDX-License-Identifier: GPL-2.0
/* The stream of windows. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "stream.h"

/* The longest line that is added. */
#define LINE_MAX	512

/**
 * struct text - text that grows
 * @at: the text
 * @room: number of bytes that fit
 * @length: number of bytes
 */
struct text {
	char *at;
	size_t room;
	size_t length;
};

static FILE *file;
static struct text next, last;
static unsigned long again;

static void check(bool good)
{
	if (!good)
		fatal("the stream cannot be written: %s", strerror(errno));
}

bool stream_open(const char *path)
{
	file = fopen(path, "w");
	return file && fputs("profile 1\n", file) >= 0;
}

void stream_describe(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	check(vfprintf(file, format, arguments) >= 0);
	va_end(arguments);
}

void stream_add(const char *format, ...)
{
	va_list arguments;
	int length;

	next.at = enlarge(next.at, next.length + LINE_MAX, &next.room, 1);
	va_start(arguments, format);
	length = vsnprintf(next.at + next.length, LINE_MAX, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= LINE_MAX)
		fatal("a line of the stream has %d bytes", length);
	next.length += length;
}

static void write_again(void)
{
	if (again)
		check(fprintf(file, "= %lu\n", again) >= 0);
	again = 0;
}

void stream_window(void)
{
	struct text written = next;

	if (next.length == last.length &&
	    !memcmp(next.at, last.at, next.length)) {
		again++;
	} else {
		write_again();
		check(fwrite(next.at, 1, next.length, file) == next.length);
		next = last;
		last = written;
	}
	next.length = 0;
}

void stream_close(void)
{
	write_again();
	check(fputs("end\n", file) >= 0);
	check(!fclose(file));
}
