/* SPDX-License-Identifier: GPL-2.0 */
/* The tests of the abstractions in api.rs: 0, or -EINVAL if one fails. */
#ifndef _DSBENCH_RUST_TESTS_API_H
#define _DSBENCH_RUST_TESTS_API_H

int rust_api_readme(void);
int rust_api_list(void);
int rust_api_branching(void);
int rust_api_hlist(void);
int rust_api_hashtable(void);
int rust_api_xarray(void);
int rust_api_maple(void);

#endif /* _DSBENCH_RUST_TESTS_API_H */
