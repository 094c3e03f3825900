/* SPDX-License-Identifier: GPL-2.0 */
/* The rtnetlink interface of udptun devices. */
#ifndef _UDPTUN_NETLINK_H
#define _UDPTUN_NETLINK_H

int udptun_netlink_init(void);
void udptun_netlink_exit(void);

#endif /* _UDPTUN_NETLINK_H */
