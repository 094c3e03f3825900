/* SPDX-License-Identifier: GPL-2.0 */
/* What ends udptunctl early: a sentence on standard error, and a status. */
#ifndef _UDPTUNCTL_ERROR_H
#define _UDPTUNCTL_ERROR_H

#define WRONG_ARGUMENT	1
#define KERNEL_REFUSED	2

/* The command line is wrong. */
__attribute__((noreturn, format(printf, 1, 2)))
void wrong(const char *format, ...);

/* There is no device of that name. */
__attribute__((noreturn))
void no_device(const char *name);

#endif /* _UDPTUNCTL_ERROR_H */
