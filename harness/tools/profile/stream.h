/* SPDX-License-Identifier: GPL-2.0 */
/* The stream of windows, a text file. A window like the last one is a number. */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>

/*
 * The lines of a stream; addresses are hexadecimal:
 *
 *   profile 1
 *   b BLOCK ADDRESS INSTRUCTIONS BYTES     before the first window that has it
 *   n NODE PARENT BLOCK                    BLOCK of PARENT calls NODE
 *   w CPU BEGIN END INSTRUCTIONS LOADS STORES TAKEN LINES MISSES FIRST
 *     a window from the rdtsc at BEGIN to that at END. MISSES are those of each
 *     level of the model, with commas between, or "-"; FIRST its first blocks
 *   c BLOCK RUNS LOADS STORES              of the window
 *   s NODE BLOCK RUNS                      of the window
 *   = TIMES                                the last window again
 *   end                                    nothing is missing
 */

/* Create the file. Return false with errno set if that is impossible. */
bool stream_open(const char *path);

/* Write a line at once: it describes something for the windows to come. */
__attribute__((format(printf, 1, 2)))
void stream_describe(const char *format, ...);

/* Add a line to the next window. */
__attribute__((format(printf, 1, 2)))
void stream_add(const char *format, ...);

/* Write the window, unless it is equal to the last one. */
void stream_window(void);

/* Write the end and close the file. */
void stream_close(void);

#endif /* STREAM_H */
