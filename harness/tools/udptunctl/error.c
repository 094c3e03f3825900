// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "error.h"
#include "report.h"

void exit_argument(const char *format, ...)
{
	va_list arguments;

	fputs("Error: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(STATUS_ARGUMENT);
}

void exit_no_device(const char *name)
{
	report_no_device(name);
	exit(STATUS_ARGUMENT);
}
