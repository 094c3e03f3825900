/* SPDX-License-Identifier: GPL-2.0 */
/* Exit with a message on standard error. */
#ifndef _UDPTUNCTL_ERROR_H
#define _UDPTUNCTL_ERROR_H

/* Exit statuses */
#define STATUS_ARGUMENT	1		/* wrong argument, no such device, or no output */
#define STATUS_KERNEL	2		/* the kernel rejected the request */

/* Exit because the command line is wrong. */
__attribute__((noreturn, format(printf, 1, 2)))
void exit_argument(const char *format, ...);

/* Exit because no device has this name. */
__attribute__((noreturn))
void exit_no_device(const char *name);

#endif /* _UDPTUNCTL_ERROR_H */
