/* SPDX-License-Identifier: GPL-2.0 */
/* Receive: the operations of the sockets. */
#ifndef _UDPTUN_RECEIVE_H
#define _UDPTUN_RECEIVE_H

struct udptun_sock_ops;

extern const struct udptun_sock_ops udptun_receive_ops;

#endif /* _UDPTUN_RECEIVE_H */
