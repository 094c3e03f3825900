// SPDX-License-Identifier: GPL-2.0
/* Sizes and offsets by the kernel's compiler: the build makes layout.rs of them, and layout.rs checks those of bindgen. */

#include <linux/kbuild.h>

#include "bindings.h"

#define LAYOUT(type, member)						\
	DEFINE(SIZE_OF_##type, sizeof(struct type));			\
	DEFINE(OFFSET_IN_##type, offsetof(struct type, member))

int main(void)
{
	LAYOUT(net_device, priv);
	LAYOUT(net_device_ops, ndo_get_stats64);
	LAYOUT(rtnl_link_ops, get_link_net);
	LAYOUT(sk_buff, head);
	LAYOUT(skb_shared_info, dataref);
	LAYOUT(sock, sk_user_data);
	LAYOUT(napi_struct, gro);
	LAYOUT(dst_cache, cache);
	LAYOUT(nla_policy, validate);
	return 0;
}
