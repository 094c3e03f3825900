/* SPDX-License-Identifier: GPL-2.0 */
/* Configurations of devices: created, published, replaced under traffic. */
#ifndef _UDPTUN_CONF_H
#define _UDPTUN_CONF_H

struct netlink_ext_ack;
struct udptun_conf;
struct udptun_device;
struct udptun_params;

struct udptun_conf *udptun_conf_create(struct udptun_device *tun,
				       const struct udptun_params *params,
				       struct netlink_ext_ack *extack);
void udptun_conf_derive(struct udptun_conf *conf);
void udptun_conf_destroy(struct udptun_conf *conf);
void udptun_conf_attach(struct udptun_conf *conf);
void udptun_conf_detach(struct udptun_conf *conf);
void udptun_conf_replace(struct udptun_conf *old, struct udptun_conf *conf);

#endif /* _UDPTUN_CONF_H */
