/* SPDX-License-Identifier: GPL-2.0 */
/* Error messages on standard error, in the form of iproute2's. */
#ifndef _UDPTUN_REPORT_H
#define _UDPTUN_REPORT_H

__attribute__((format(printf, 1, 2)))
void report_error(const char *format, ...);

/* No device has this name. */
void report_no_device(const char *name);

#endif /* _UDPTUN_REPORT_H */
