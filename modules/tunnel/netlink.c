// SPDX-License-Identifier: GPL-2.0
/* rtnetlink: create, change, dump and delete devices. */

#include <linux/capability.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>
#include <net/rtnetlink.h>

#include <dsbench/compat.h>

#include "conf.h"
#include "device.h"
#include "netlink.h"
#include "netns.h"
#include "queue.h"
#include "tunnel.h"

static int udptun_validate_port(const struct nlattr *attr,
				struct netlink_ext_ack *extack)
{
	if (nla_get_be16(attr))
		return 0;
	if (nla_type(attr) == IFLA_UDPTUN_LOCAL_PORT)
		NL_SET_ERR_MSG_ATTR(extack, attr, "The local port cannot be 0");
	else
		NL_SET_ERR_MSG_ATTR(extack, attr, "The remote port cannot be 0");
	return -EINVAL;
}

static int udptun_validate_tos(const struct nlattr *attr,
			       struct netlink_ext_ack *extack)
{
	u8 tos = nla_get_u8(attr);

	if (tos == UDPTUN_TOS_INHERIT || !(tos & INET_ECN_MASK))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "The TOS must be a multiple of 4, or 1 to inherit it");
	return -EINVAL;
}

static int udptun_validate_flowlabel(const struct nlattr *attr,
				     struct netlink_ext_ack *extack)
{
	if (!(nla_get_be32(attr) & ~IPV6_FLOWLABEL_MASK))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "The flow label must fit in 20 bits");
	return -EINVAL;
}

static int udptun_validate_port_range(const struct nlattr *attr,
				      struct netlink_ext_ack *extack)
{
	struct udptun_port_range range = {};

	if (nla_memcpy(&range, attr, sizeof(range)) == sizeof(range) &&
	    !range.low == !range.high && ntohs(range.low) <= ntohs(range.high))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "The range of source ports must begin at 1 or more, and must not end below that");
	return -EINVAL;
}

static struct netlink_range_validation udptun_link_range = {
	.max = INT_MAX,
};

static const struct nla_policy udptun_policy[IFLA_UDPTUN_MAX + 1] = {
	[IFLA_UDPTUN_LOCAL] = { .type = NLA_BE32 },
	[IFLA_UDPTUN_LOCAL6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[IFLA_UDPTUN_REMOTE] = { .type = NLA_BE32 },
	[IFLA_UDPTUN_REMOTE6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[IFLA_UDPTUN_LOCAL_PORT] =
		NLA_POLICY_VALIDATE_FN(NLA_BE16, udptun_validate_port),
	[IFLA_UDPTUN_REMOTE_PORT] =
		NLA_POLICY_VALIDATE_FN(NLA_BE16, udptun_validate_port),
	[IFLA_UDPTUN_TTL] = { .type = NLA_U8 },
	[IFLA_UDPTUN_TOS] = NLA_POLICY_VALIDATE_FN(NLA_U8, udptun_validate_tos),
	[IFLA_UDPTUN_FLOWLABEL] =
		NLA_POLICY_VALIDATE_FN(NLA_BE32, udptun_validate_flowlabel),
	[IFLA_UDPTUN_UDP_CSUM] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_UDPTUN_UDP_ZERO_CSUM6_TX] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_UDPTUN_UDP_ZERO_CSUM6_RX] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_UDPTUN_LINK] = NLA_POLICY_FULL_RANGE(NLA_U32, &udptun_link_range),
	[IFLA_UDPTUN_DF] = NLA_POLICY_MAX(NLA_U8, UDPTUN_DF_MAX),
	[IFLA_UDPTUN_FLOWLABEL_INHERIT] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_UDPTUN_PORT_RANGE] =
		NLA_POLICY_VALIDATE_FN(NLA_BINARY, udptun_validate_port_range,
				       sizeof(struct udptun_port_range)),
	[IFLA_UDPTUN_FWMARK] = { .type = NLA_U32 },
	[IFLA_UDPTUN_FWMASK] = { .type = NLA_U32 },
	[IFLA_UDPTUN_EXTERNAL] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_UDPTUN_LINK_IS_FOREIGN] = {
		.type = NLA_REJECT,
		.reject_message =
			"The namespace of the underlay is read-only: it is where the tunnel was created",
	},
};

static int udptun_validate(struct nlattr *tb[], struct nlattr *data[],
			   struct netlink_ext_ack *extack)
{
	if (tb[IFLA_ADDRESS]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
				    "A layer 3 tunnel has no link layer address");
		return -EINVAL;
	}
	if (!data) {
		NL_SET_ERR_MSG(extack, "The addresses and the port are missing");
		return -EINVAL;
	}
	/* rtnetlink accepts, and ignores, unknown attributes and surplus bytes. */
	return nla_validate_nested(nla_find_nested(tb[IFLA_LINKINFO], IFLA_INFO_DATA),
				   IFLA_UDPTUN_MAX, udptun_policy, extack);
}

static int udptun_choose_mtu(struct udptun_device *tun,
			     const struct nlattr *requested,
			     unsigned int default_mtu,
			     struct netlink_ext_ack *extack)
{
	struct net_device *dev = tun->dev;

	tun->mtu_is_set = requested;
	if (!requested)
		dev->mtu = default_mtu;
	if (dev->mtu <= dev->max_mtu)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, requested,
			    "The MTU exceeds what IP and UDP can carry");
	return -EINVAL;
}

static int udptun_create(struct net *net, struct net_device *dev,
			 struct nlattr *tb[], struct nlattr *data[],
			 struct netlink_ext_ack *extack)
{
	struct udptun_device *tun = netdev_priv(dev);
	struct udptun_params params = {
		.ttl = UDPTUN_TTL_DEFAULT,
		.df = UDPTUN_DF_INHERIT,
		.mark_inherit = U32_MAX,
	};
	struct udptun_conf *conf;
	int err;

	err = udptun_params_read(&params, true, net, data, extack);
	if (err)
		return err;

	tun->net = net;
	err = udptun_choose_mtu(tun, tb[IFLA_MTU], udptun_device_fit(tun, &params),
				extack);
	if (err)
		return err;

	conf = udptun_conf_create(tun, &params, extack);
	if (IS_ERR(conf))
		return PTR_ERR(conf);
	RCU_INIT_POINTER(tun->conf, conf);
	udptun_device_set_mode(dev, params.external);

	err = register_netdevice(dev);
	if (err)
		goto err_register;
	/* Set it only now: a failing register_netdevice() would call it. */
	dev->priv_destructor = udptun_device_release;

	list_add(&tun->node, &udptun_net(net)->devices);
	err = udptun_device_link(tun, params.link, extack);
	if (err) {
		udptun_device_unregister(dev, NULL);
		return err;
	}
	udptun_conf_attach(conf);
	return 0;

err_register:
	RCU_INIT_POINTER(tun->conf, NULL);
	udptun_conf_destroy(conf);
	udptun_queues_free(tun->queues);
	return err;
}

static int DSBENCH_NEWLINK(udptun_newlink)
{
	return DSBENCH_NEWLINK_CALL(udptun_create);
}

/* Adapt to a new underlay. The MTU follows it unless the user has set one. */
static void udptun_follow_underlay(struct udptun_device *tun,
				   const struct udptun_params *params)
{
	unsigned int mtu = udptun_device_fit(tun, params);

	if (tun->mtu_is_set || mtu == tun->dev->mtu)
		return;
	if (dev_set_mtu(tun->dev, mtu))
		netdev_warn(tun->dev, "cannot set the MTU to %u, keeping %u\n",
			    mtu, tun->dev->mtu);
	tun->mtu_is_set = false;
}

static bool udptun_underlay_differs(const struct udptun_params *old,
				    const struct udptun_params *params)
{
	return old->link != params->link || old->mark != params->mark ||
	       memcmp(&old->local, &params->local, sizeof(old->local)) ||
	       memcmp(&old->remote, &params->remote, sizeof(old->remote));
}

static int udptun_changelink(struct net_device *dev, struct nlattr *tb[],
			     struct nlattr *data[],
			     struct netlink_ext_ack *extack)
{
	struct udptun_device *tun = netdev_priv(dev);
	struct udptun_conf *old = rtnl_dereference(tun->conf);
	struct udptun_params params = old->params;
	struct udptun_conf *conf;
	bool differs;
	int err;

	/* rtnetlink has checked the capability in the device's namespace only. */
	if (!net_eq(tun->net, dev_net(dev)) &&
	    !ns_capable(tun->net->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(extack,
			       "The tunnel's socket is in another network namespace: CAP_NET_ADMIN is required there");
		return -EPERM;
	}

	err = udptun_params_read(&params, false, tun->net, data, extack);
	if (err)
		return err;
	if (params.link == dev->ifindex && net_eq(tun->net, dev_net(dev))) {
		NL_SET_ERR_MSG_ATTR(extack, data[IFLA_UDPTUN_LINK],
				    "A tunnel cannot be its own underlay");
		return -ELOOP;
	}

	conf = udptun_conf_create(tun, &params, extack);
	if (IS_ERR(conf))
		return PTR_ERR(conf);
	err = udptun_device_link(tun, params.link, extack);
	if (err) {
		udptun_conf_destroy(conf);
		return err;
	}
	differs = udptun_underlay_differs(&old->params, &params);
	udptun_conf_replace(old, conf);
	if (differs)
		udptun_follow_underlay(tun, &params);
	return 0;
}

static size_t udptun_get_size(const struct net_device *dev)
{
	return 2 * nla_total_size(sizeof(struct in6_addr)) + /* addresses */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_UDP_CSUM */
	       2 * nla_total_size(sizeof(__be16)) + /* ports */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_TTL */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_TOS */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_DF */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_EXTERNAL */
	       nla_total_size(sizeof(u32)) + /* IFLA_UDPTUN_LINK */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_LINK_IS_FOREIGN */
	       nla_total_size(sizeof(__be32)) + /* IFLA_UDPTUN_FLOWLABEL */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_FLOWLABEL_INHERIT */
	       nla_total_size(sizeof(struct udptun_port_range)) +
	       2 * nla_total_size(sizeof(u32)) + /* IFLA_UDPTUN_FWMARK, FWMASK */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_UDP_ZERO_CSUM6_TX */
	       nla_total_size(sizeof(u8)); /* IFLA_UDPTUN_UDP_ZERO_CSUM6_RX */
}

static bool udptun_fill4(struct sk_buff *skb, const struct udptun_params *params)
{
	return !nla_put_in_addr(skb, IFLA_UDPTUN_LOCAL, params->local.v4) &&
	       (params->external ||
		!nla_put_in_addr(skb, IFLA_UDPTUN_REMOTE, params->remote.v4)) &&
	       !nla_put_u8(skb, IFLA_UDPTUN_UDP_CSUM, params->csum);
}

static bool udptun_fill6(struct sk_buff *skb, const struct udptun_params *params)
{
	return !nla_put_in6_addr(skb, IFLA_UDPTUN_LOCAL6, &params->local.v6) &&
	       (params->external ||
		!nla_put_in6_addr(skb, IFLA_UDPTUN_REMOTE6, &params->remote.v6)) &&
	       !nla_put_be32(skb, IFLA_UDPTUN_FLOWLABEL, params->flowlabel) &&
	       !nla_put_u8(skb, IFLA_UDPTUN_FLOWLABEL_INHERIT,
			   params->flowlabel_inherit) &&
	       !nla_put_u8(skb, IFLA_UDPTUN_UDP_ZERO_CSUM6_TX,
			   params->zero_csum6_tx) &&
	       !nla_put_u8(skb, IFLA_UDPTUN_UDP_ZERO_CSUM6_RX,
			   params->zero_csum6_rx);
}

static int udptun_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct udptun_device *tun = netdev_priv(dev);
	const struct udptun_params *params = &rtnl_dereference(tun->conf)->params;
	const struct udptun_port_range range = {
		.low = htons(params->sport_min),
		.high = htons(params->sport_max),
	};

	if (!(params->family == AF_INET ? udptun_fill4(skb, params) : udptun_fill6(skb, params)) ||
	    nla_put_be16(skb, IFLA_UDPTUN_LOCAL_PORT, params->local_port) ||
	    nla_put_be16(skb, IFLA_UDPTUN_REMOTE_PORT, params->remote_port) ||
	    nla_put_u8(skb, IFLA_UDPTUN_TTL, params->ttl) ||
	    nla_put_u8(skb, IFLA_UDPTUN_TOS, params->tos) ||
	    nla_put_u8(skb, IFLA_UDPTUN_DF, params->df) ||
	    nla_put_u32(skb, IFLA_UDPTUN_LINK, params->link) ||
	    nla_put_u8(skb, IFLA_UDPTUN_LINK_IS_FOREIGN,
		       !net_eq(tun->net, dev_net(dev))) ||
	    nla_put(skb, IFLA_UDPTUN_PORT_RANGE, sizeof(range), &range) ||
	    nla_put_u32(skb, IFLA_UDPTUN_FWMARK, params->mark) ||
	    nla_put_u32(skb, IFLA_UDPTUN_FWMASK, ~params->mark_inherit) ||
	    nla_put_u8(skb, IFLA_UDPTUN_EXTERNAL, params->external))
		return -EMSGSIZE;
	return 0;
}

static size_t udptun_get_xstats_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(struct udptun_xstats));
}

static int udptun_fill_xstats(struct sk_buff *skb, const struct net_device *dev)
{
	const struct udptun_xstats xstats = {
		.rx_stranger = udptun_device_strangers(dev),
	};

	return nla_put(skb, IFLA_INFO_XSTATS, sizeof(xstats), &xstats);
}

static struct net *udptun_get_link_net(const struct net_device *dev)
{
	const struct udptun_device *tun = netdev_priv(dev);

	return tun->net;
}

static struct rtnl_link_ops udptun_link_ops __read_mostly = {
	.kind = UDPTUN_KIND,
	.maxtype = IFLA_UDPTUN_MAX,
	.policy = udptun_policy,
	.priv_size = sizeof(struct udptun_device),
	.setup = udptun_device_setup,
	.validate = udptun_validate,
	.newlink = udptun_newlink,
	.changelink = udptun_changelink,
	.dellink = udptun_device_unregister,
	.get_size = udptun_get_size,
	.fill_info = udptun_fill_info,
	.get_xstats_size = udptun_get_xstats_size,
	.fill_xstats = udptun_fill_xstats,
	.get_link_net = udptun_get_link_net,
};

int udptun_netlink_init(void)
{
	return rtnl_link_register(&udptun_link_ops);
}

/* Also unregisters all devices. */
void udptun_netlink_exit(void)
{
	rtnl_link_unregister(&udptun_link_ops);
}
