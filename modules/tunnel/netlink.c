// SPDX-License-Identifier: GPL-2.0
/* Configuration: what user space may say, and one sentence for what it may not. */

#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/netlink.h>
#include <net/route.h>
#include <net/rtnetlink.h>

#include <dsbench/compat.h>

#include "device.h"
#include "netlink.h"
#include "peer.h"

/*
 * rtnetlink passes over attributes beyond a kind's last one. This is as far as
 * it lets a kind go: so that we see what we do not know, and refuse it.
 */
#define POLICY_MAX	50

static const struct nla_policy udptun_policy[POLICY_MAX + 1] = {
	[IFLA_UDPTUN_UNSPEC] = {
		.strict_start_type = IFLA_UDPTUN_UNSPEC + 1,
	},
	[IFLA_UDPTUN_LOCAL] = { .type = NLA_BE32 },
	[IFLA_UDPTUN_LOCAL6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[IFLA_UDPTUN_REMOTE] = { .type = NLA_BE32 },
	[IFLA_UDPTUN_REMOTE6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[IFLA_UDPTUN_LOCAL_PORT] = { .type = NLA_BE16 },
	[IFLA_UDPTUN_REMOTE_PORT] = { .type = NLA_BE16 },
	[IFLA_UDPTUN_TTL] = { .type = NLA_U8 },
	[IFLA_UDPTUN_TOS] = { .type = NLA_U8 },
	[IFLA_UDPTUN_FLOWLABEL] = { .type = NLA_BE32 },
	[IFLA_UDPTUN_UDP_CSUM] = { .type = NLA_U8 },
	[IFLA_UDPTUN_UDP_ZERO_CSUM6_TX] = { .type = NLA_U8 },
	[IFLA_UDPTUN_UDP_ZERO_CSUM6_RX] = { .type = NLA_U8 },
	[IFLA_UDPTUN_LINK] = { .type = NLA_U32 },
	[IFLA_UDPTUN_DF] = { .type = NLA_U8 },
	[IFLA_UDPTUN_FLOWLABEL_INHERIT] = { .type = NLA_U8 },
	[IFLA_UDPTUN_MAX + 1 ... POLICY_MAX] = {
		.type = NLA_REJECT,
		.reject_message = "This attribute is not known",
	},
};

/* What is being configured, and who hears of it. */
struct request {
	struct nlattr **data;
	struct netlink_ext_ack *extack;
	struct net *net;
	struct udptun_config cfg;
	bool is_new;
};

/* Say why the attribute will not do, or, when there is none, the whole. */
#define REFUSE(rq, type, sentence) ({					\
	const struct request *__rq = (rq);				\
									\
	NL_SET_ERR_MSG_ATTR(__rq->extack, __rq->data[type], sentence);	\
	-EINVAL;							\
})

static int read_family(struct request *rq)
{
	bool is_v4 = rq->data[IFLA_UDPTUN_LOCAL] || rq->data[IFLA_UDPTUN_REMOTE];
	bool is_v6 = rq->data[IFLA_UDPTUN_LOCAL6] ||
		     rq->data[IFLA_UDPTUN_REMOTE6];

	if (is_v4 && is_v6)
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "Local and remote address are not of one family");
	if (rq->is_new) {
		if (!is_v4 && !is_v6)
			return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
				      "Local and remote address are missing");
		rq->cfg.family = is_v4 ? AF_INET : AF_INET6;
	} else if (is_v4 && rq->cfg.family != AF_INET) {
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "The tunnel goes over IPv6, which cannot be changed");
	} else if (is_v6 && rq->cfg.family != AF_INET6) {
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "The tunnel goes over IPv4, which cannot be changed");
	}
	if (rq->cfg.family == AF_INET6 && !IS_ENABLED(CONFIG_IPV6))
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "This kernel has no IPv6");
	return 0;
}

static int read_addresses4(struct request *rq)
{
	struct nlattr *remote = rq->data[IFLA_UDPTUN_REMOTE];
	struct nlattr *local = rq->data[IFLA_UDPTUN_LOCAL];

	if (rq->is_new && !local)
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "The local address is missing");
	if (rq->is_new && !remote)
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "The remote address is missing");
	if (local)
		rq->cfg.local.v4 = nla_get_in_addr(local);
	if (remote)
		rq->cfg.remote.v4 = nla_get_in_addr(remote);
	return 0;
}

static int read_addresses6(struct request *rq)
{
	struct nlattr *remote = rq->data[IFLA_UDPTUN_REMOTE6];
	struct nlattr *local = rq->data[IFLA_UDPTUN_LOCAL6];

	if (rq->is_new && !local)
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "The local address is missing");
	if (rq->is_new && !remote)
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "The remote address is missing");
	if (local)
		rq->cfg.local.v6 = nla_get_in6_addr(local);
	if (remote)
		rq->cfg.remote.v6 = nla_get_in6_addr(remote);
	return 0;
}

static int check_addresses4(struct request *rq)
{
	__be32 remote = rq->cfg.remote.v4;
	__be32 local = rq->cfg.local.v4;

	if (ipv4_is_zeronet(local))
		return REFUSE(rq, IFLA_UDPTUN_LOCAL,
			      "The local address must be a certain one");
	if (ipv4_is_zeronet(remote))
		return REFUSE(rq, IFLA_UDPTUN_REMOTE,
			      "The remote address must be a certain one");
	if (ipv4_is_multicast(local))
		return REFUSE(rq, IFLA_UDPTUN_LOCAL,
			      "The local address is a multicast address");
	if (ipv4_is_multicast(remote))
		return REFUSE(rq, IFLA_UDPTUN_REMOTE,
			      "The remote address is a multicast address");
	if (inet_addr_type(rq->net, local) == RTN_BROADCAST)
		return REFUSE(rq, IFLA_UDPTUN_LOCAL,
			      "The local address is a broadcast address");
	if (inet_addr_type(rq->net, remote) == RTN_BROADCAST)
		return REFUSE(rq, IFLA_UDPTUN_REMOTE,
			      "The remote address is a broadcast address");
	if (local == remote)
		return REFUSE(rq, IFLA_UDPTUN_REMOTE,
			      "Local and remote address are the same");
	if (inet_addr_type(rq->net, remote) == RTN_LOCAL)
		return REFUSE(rq, IFLA_UDPTUN_REMOTE,
			      "The remote address is one of this host's own");
	return 0;
}

static bool is_own6(struct net *net, const struct in6_addr *addr)
{
	return IS_ENABLED(CONFIG_IPV6) &&
	       (ipv6_addr_loopback(addr) || ipv6_chk_addr(net, addr, NULL, 0));
}

static int check_addresses6(struct request *rq)
{
	const struct in6_addr *remote = &rq->cfg.remote.v6;
	const struct in6_addr *local = &rq->cfg.local.v6;

	if (ipv6_addr_any(local))
		return REFUSE(rq, IFLA_UDPTUN_LOCAL6,
			      "The local address must be a certain one");
	if (ipv6_addr_any(remote))
		return REFUSE(rq, IFLA_UDPTUN_REMOTE6,
			      "The remote address must be a certain one");
	if (ipv6_addr_is_multicast(local))
		return REFUSE(rq, IFLA_UDPTUN_LOCAL6,
			      "The local address is a multicast address");
	if (ipv6_addr_is_multicast(remote))
		return REFUSE(rq, IFLA_UDPTUN_REMOTE6,
			      "The remote address is a multicast address");
	if (ipv6_addr_v4mapped(local) || ipv6_addr_v4mapped(remote))
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "An IPv4 address must be given as such, not mapped into IPv6");
	if (ipv6_addr_equal(local, remote))
		return REFUSE(rq, IFLA_UDPTUN_REMOTE6,
			      "Local and remote address are the same");
	if (is_own6(rq->net, remote))
		return REFUSE(rq, IFLA_UDPTUN_REMOTE6,
			      "The remote address is one of this host's own");
	if (!rq->cfg.link && ((ipv6_addr_type(local) |
			       ipv6_addr_type(remote)) & IPV6_ADDR_LINKLOCAL))
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "A link-local address needs an underlay device");
	return 0;
}

static int read_ports(struct request *rq)
{
	struct nlattr *remote = rq->data[IFLA_UDPTUN_REMOTE_PORT];
	struct nlattr *local = rq->data[IFLA_UDPTUN_LOCAL_PORT];

	if (local)
		rq->cfg.local_port = nla_get_be16(local);
	else if (rq->is_new)
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "The local port is missing");
	if (remote)
		rq->cfg.remote_port = nla_get_be16(remote);
	else if (rq->is_new)
		rq->cfg.remote_port = rq->cfg.local_port;

	if (!rq->cfg.local_port)
		return REFUSE(rq, IFLA_UDPTUN_LOCAL_PORT,
			      "The local port cannot be 0");
	if (!rq->cfg.remote_port)
		return REFUSE(rq, IFLA_UDPTUN_REMOTE_PORT,
			      "The remote port cannot be 0");
	return 0;
}

static int read_link(struct request *rq)
{
	struct nlattr *attr = rq->data[IFLA_UDPTUN_LINK];
	const struct net_device *lower;
	u32 link;

	if (!attr)
		return 0;
	link = nla_get_u32(attr);
	rq->cfg.link = link;
	if (!link)
		return 0;

	lower = link <= INT_MAX ? __dev_get_by_index(rq->net, link) : NULL;
	if (!lower) {
		NL_SET_ERR_MSG_ATTR(rq->extack, attr,
				    "The underlay device does not exist");
		return -ENODEV;
	}
	return 0;
}

static int read_flag(struct request *rq, int type, bool *flag)
{
	struct nlattr *attr = rq->data[type];

	if (!attr)
		return 0;
	if (nla_get_u8(attr) > 1)
		return REFUSE(rq, type, "This attribute is either 0 or 1");
	*flag = nla_get_u8(attr);
	return 0;
}

static int read_checksum(struct request *rq)
{
	int err;

	if (rq->cfg.family == AF_INET6 && rq->data[IFLA_UDPTUN_UDP_CSUM])
		return REFUSE(rq, IFLA_UDPTUN_UDP_CSUM,
			      "The UDP checksum over IPv6 is chosen by the zero checksum attributes");
	if (rq->cfg.family == AF_INET &&
	    (rq->data[IFLA_UDPTUN_UDP_ZERO_CSUM6_TX] ||
	     rq->data[IFLA_UDPTUN_UDP_ZERO_CSUM6_RX]))
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "Zero checksums are chosen over IPv6 only");

	err = read_flag(rq, IFLA_UDPTUN_UDP_CSUM, &rq->cfg.csum);
	if (err)
		return err;
	err = read_flag(rq, IFLA_UDPTUN_UDP_ZERO_CSUM6_TX,
			&rq->cfg.zero_csum6_tx);
	if (err)
		return err;
	return read_flag(rq, IFLA_UDPTUN_UDP_ZERO_CSUM6_RX,
			 &rq->cfg.zero_csum6_rx);
}

static int read_flowlabel(struct request *rq)
{
	struct nlattr *inherit = rq->data[IFLA_UDPTUN_FLOWLABEL_INHERIT];
	struct nlattr *label = rq->data[IFLA_UDPTUN_FLOWLABEL];
	int err;

	if (rq->cfg.family == AF_INET && (inherit || label))
		return REFUSE(rq, IFLA_UDPTUN_UNSPEC,
			      "A flow label is chosen over IPv6 only");

	err = read_flag(rq, IFLA_UDPTUN_FLOWLABEL_INHERIT,
			&rq->cfg.flowlabel_inherit);
	if (err)
		return err;

	if (label) {
		rq->cfg.flowlabel = nla_get_be32(label);
		/* Whoever gives the one drops the other. */
		if (!inherit)
			rq->cfg.flowlabel_inherit = false;
	} else if (rq->cfg.flowlabel_inherit) {
		rq->cfg.flowlabel = 0;
	}
	if (rq->cfg.flowlabel & ~IPV6_FLOWLABEL_MASK)
		return REFUSE(rq, IFLA_UDPTUN_FLOWLABEL,
			      "A flow label has 20 bits");
	if (rq->cfg.flowlabel && rq->cfg.flowlabel_inherit)
		return REFUSE(rq, IFLA_UDPTUN_FLOWLABEL,
			      "The flow label is either given or inherited");
	return 0;
}

static int read_ip_fields(struct request *rq)
{
	if (rq->data[IFLA_UDPTUN_TTL])
		rq->cfg.ttl = nla_get_u8(rq->data[IFLA_UDPTUN_TTL]);
	if (rq->data[IFLA_UDPTUN_TOS])
		rq->cfg.tos = nla_get_u8(rq->data[IFLA_UDPTUN_TOS]);
	if (rq->data[IFLA_UDPTUN_DF])
		rq->cfg.df = nla_get_u8(rq->data[IFLA_UDPTUN_DF]);

	if (rq->cfg.tos != UDPTUN_TOS_INHERIT && rq->cfg.tos & INET_ECN_MASK)
		return REFUSE(rq, IFLA_UDPTUN_TOS,
			      "The TOS is a multiple of 4, or 1 to inherit it");
	if (rq->cfg.df > UDPTUN_DF_MAX)
		return REFUSE(rq, IFLA_UDPTUN_DF,
			      "DF is 0 for unset, 1 for set, or 2 to inherit it");
	return read_flowlabel(rq);
}

/* Bring the configuration up to date with all that was said, and check it. */
static int read_config(struct request *rq)
{
	int err;

	err = read_family(rq);
	if (err)
		return err;
	err = read_link(rq);
	if (err)
		return err;
	err = rq->cfg.family == AF_INET ? read_addresses4(rq) :
					  read_addresses6(rq);
	if (err)
		return err;
	err = rq->cfg.family == AF_INET ? check_addresses4(rq) :
					  check_addresses6(rq);
	if (err)
		return err;
	err = read_ports(rq);
	if (err)
		return err;
	err = read_checksum(rq);
	if (err)
		return err;
	return read_ip_fields(rq);
}

static int udptun_validate(struct nlattr *tb[], struct nlattr *data[],
			   struct netlink_ext_ack *extack)
{
	if (tb[IFLA_ADDRESS]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
				    "A layer 3 tunnel has no link layer address");
		return -EINVAL;
	}
	if (!data) {
		NL_SET_ERR_MSG(extack, "Addresses and port are missing");
		return -EINVAL;
	}
	return 0;
}

static int choose_mtu(struct udptun_device *tun, const struct nlattr *asked,
		      unsigned int fitting, struct netlink_ext_ack *extack)
{
	struct net_device *dev = tun->dev;

	tun->mtu_is_set = asked;
	if (!asked)
		dev->mtu = fitting;
	if (dev->mtu <= dev->max_mtu)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, asked,
			    "The MTU is larger than IP and UDP can carry");
	return -EINVAL;
}

static int newlink(struct net *net, struct net_device *dev,
		   struct nlattr *tb[], struct nlattr *data[],
		   struct netlink_ext_ack *extack)
{
	struct udptun_device *tun = netdev_priv(dev);
	struct request rq = {
		.data = data,
		.extack = extack,
		.net = net,
		.cfg = {
			.ttl = UDPTUN_TTL_DEFAULT,
			.df = UDPTUN_DF_INHERIT,
		},
		.is_new = true,
	};
	struct udptun_peer *peer;
	int err;

	err = read_config(&rq);
	if (err)
		return err;

	tun->net = net;
	err = choose_mtu(tun, tb[IFLA_MTU], udptun_device_fit(tun, &rq.cfg),
			 extack);
	if (err)
		return err;

	peer = udptun_peer_create(tun, &rq.cfg, extack);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	RCU_INIT_POINTER(tun->peer, peer);

	err = register_netdevice(dev);
	if (err)
		goto err_register;
	/* Not before, or a failing register_netdevice() would call it. */
	dev->priv_destructor = udptun_device_release;

	list_add(&tun->node, &udptun_net(net)->devices);
	udptun_peer_attach(peer);
	return 0;

err_register:
	RCU_INIT_POINTER(tun->peer, NULL);
	udptun_peer_destroy(peer);
	return err;
}

static int DSBENCH_NEWLINK(udptun_newlink)
{
	return DSBENCH_NEWLINK_CALL(newlink);
}

/* An MTU that the user never chose follows the underlay. */
static void refit(struct udptun_device *tun, const struct udptun_config *cfg)
{
	unsigned int mtu = udptun_device_fit(tun, cfg);

	if (tun->mtu_is_set || mtu == tun->dev->mtu)
		return;
	if (dev_set_mtu(tun->dev, mtu))
		netdev_warn(tun->dev, "keeps its MTU, %u is refused\n", mtu);
	tun->mtu_is_set = false;
}

static bool moved(const struct udptun_config *old,
		  const struct udptun_config *cfg)
{
	return old->link != cfg->link ||
	       memcmp(&old->local, &cfg->local, sizeof(old->local)) ||
	       memcmp(&old->remote, &cfg->remote, sizeof(old->remote));
}

static int udptun_changelink(struct net_device *dev, struct nlattr *tb[],
			     struct nlattr *data[],
			     struct netlink_ext_ack *extack)
{
	struct udptun_device *tun = netdev_priv(dev);
	struct udptun_peer *old = rtnl_dereference(tun->peer);
	struct request rq = {
		.data = data,
		.extack = extack,
		.net = tun->net,
		.cfg = old->cfg,
	};
	struct udptun_peer *peer;
	bool has_moved;
	int err;

	err = read_config(&rq);
	if (err)
		return err;
	if (rq.cfg.link == dev->ifindex && net_eq(tun->net, dev_net(dev))) {
		NL_SET_ERR_MSG_ATTR(extack, data[IFLA_UDPTUN_LINK],
				    "A tunnel cannot be its own underlay");
		return -ELOOP;
	}

	peer = udptun_peer_create(tun, &rq.cfg, extack);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	has_moved = moved(&old->cfg, &rq.cfg);
	udptun_peer_replace(old, peer);
	if (has_moved)
		refit(tun, &rq.cfg);
	return 0;
}

static size_t udptun_get_size(const struct net_device *dev)
{
	return 2 * nla_total_size(sizeof(struct in6_addr)) + /* addresses */
	       2 * nla_total_size(sizeof(__be16)) + /* ports */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_TTL */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_TOS */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_DF */
	       nla_total_size(sizeof(u32)) + /* IFLA_UDPTUN_LINK */
	       nla_total_size(sizeof(__be32)) + /* IFLA_UDPTUN_FLOWLABEL */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_FLOWLABEL_INHERIT */
	       nla_total_size(sizeof(u8)) + /* IFLA_UDPTUN_UDP_ZERO_CSUM6_TX */
	       nla_total_size(sizeof(u8)); /* IFLA_UDPTUN_UDP_ZERO_CSUM6_RX */
}

static bool fill4(struct sk_buff *skb, const struct udptun_config *cfg)
{
	return !nla_put_in_addr(skb, IFLA_UDPTUN_LOCAL, cfg->local.v4) &&
	       !nla_put_in_addr(skb, IFLA_UDPTUN_REMOTE, cfg->remote.v4) &&
	       !nla_put_u8(skb, IFLA_UDPTUN_UDP_CSUM, cfg->csum);
}

static bool fill6(struct sk_buff *skb, const struct udptun_config *cfg)
{
	return !nla_put_in6_addr(skb, IFLA_UDPTUN_LOCAL6, &cfg->local.v6) &&
	       !nla_put_in6_addr(skb, IFLA_UDPTUN_REMOTE6, &cfg->remote.v6) &&
	       !nla_put_be32(skb, IFLA_UDPTUN_FLOWLABEL, cfg->flowlabel) &&
	       !nla_put_u8(skb, IFLA_UDPTUN_FLOWLABEL_INHERIT,
			   cfg->flowlabel_inherit) &&
	       !nla_put_u8(skb, IFLA_UDPTUN_UDP_ZERO_CSUM6_TX,
			   cfg->zero_csum6_tx) &&
	       !nla_put_u8(skb, IFLA_UDPTUN_UDP_ZERO_CSUM6_RX,
			   cfg->zero_csum6_rx);
}

static int udptun_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct udptun_device *tun = netdev_priv(dev);
	const struct udptun_config *cfg = &rtnl_dereference(tun->peer)->cfg;

	if (!(cfg->family == AF_INET ? fill4(skb, cfg) : fill6(skb, cfg)) ||
	    nla_put_be16(skb, IFLA_UDPTUN_LOCAL_PORT, cfg->local_port) ||
	    nla_put_be16(skb, IFLA_UDPTUN_REMOTE_PORT, cfg->remote_port) ||
	    nla_put_u8(skb, IFLA_UDPTUN_TTL, cfg->ttl) ||
	    nla_put_u8(skb, IFLA_UDPTUN_TOS, cfg->tos) ||
	    nla_put_u8(skb, IFLA_UDPTUN_DF, cfg->df) ||
	    nla_put_u32(skb, IFLA_UDPTUN_LINK, cfg->link))
		return -EMSGSIZE;
	return 0;
}

static struct net *udptun_get_link_net(const struct net_device *dev)
{
	const struct udptun_device *tun = netdev_priv(dev);

	return tun->net;
}

static struct rtnl_link_ops udptun_link_ops __read_mostly = {
	.kind = UDPTUN_KIND,
	.maxtype = POLICY_MAX,
	.policy = udptun_policy,
	.priv_size = sizeof(struct udptun_device),
	.setup = udptun_device_setup,
	.validate = udptun_validate,
	.newlink = udptun_newlink,
	.changelink = udptun_changelink,
	.dellink = udptun_device_unregister,
	.get_size = udptun_get_size,
	.fill_info = udptun_fill_info,
	.get_link_net = udptun_get_link_net,
};

int udptun_netlink_init(void)
{
	return rtnl_link_register(&udptun_link_ops);
}

/* Unregisters all devices, too. */
void udptun_netlink_exit(void)
{
	rtnl_link_unregister(&udptun_link_ops);
}
