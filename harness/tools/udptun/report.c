// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "report.h"

void report_error(const char *format, ...)
{
	va_list arguments;

	fputs("Error: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void report_no_device(const char *name)
{
	fprintf(stderr, "Cannot find device \"%s\"\n", name);
}
