// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include <libmnl/libmnl.h>

#include "config.h"

static const char *const df_names[] = {
	[UDPTUN_DF_UNSET] = "unset",
	[UDPTUN_DF_SET] = "set",
	[UDPTUN_DF_INHERIT] = "inherit",
};

bool is_kind(const char *kind)
{
	return !strcmp(kind, UDPTUN_KIND) || !strcmp(kind, UDPTUN_RUST_KIND);
}

const char *df_name(unsigned long df)
{
	return df <= UDPTUN_DF_MAX ? df_names[df] : NULL;
}

void set_attribute(struct config *config, uint16_t type, const void *value, uint16_t length)
{
	config->attribute[type].length = length;
	memcpy(config->attribute[type].value, value, length);
}

void set_u8(struct config *config, uint16_t type, uint8_t value)
{
	set_attribute(config, type, &value, sizeof(value));
}

void read_attribute(struct config *config, uint16_t type, const void *value, uint16_t length)
{
	if (type <= IFLA_UDPTUN_MAX && length <= sizeof(config->attribute[type].value))
		set_attribute(config, type, value, length);
}

static bool is_of_the_host(uint16_t type)
{
	return type == IFLA_UDPTUN_LINK || type == IFLA_UDPTUN_FWMARK ||
	       type == IFLA_UDPTUN_FWMASK;
}

/* Ports and flow labels are in network byte order, the others in that of the host. */
bool get_number(const struct config *config, uint16_t type, unsigned long *number)
{
	const struct attribute *attribute = &config->attribute[type];
	uint16_t port;
	uint32_t word;

	switch (attribute->length) {
	case sizeof(uint8_t):
		*number = attribute->value[0];
		return true;
	case sizeof(port):
		memcpy(&port, attribute->value, sizeof(port));
		*number = ntohs(port);
		return true;
	case sizeof(word):
		memcpy(&word, attribute->value, sizeof(word));
		*number = is_of_the_host(type) ? word : ntohl(word);
		return true;
	default:
		return false;
	}
}

bool put_attributes(struct nlmsghdr *request, size_t size, const struct config *config)
{
	uint16_t type;

	for (type = 0; type <= IFLA_UDPTUN_MAX; type++) {
		const struct attribute *attribute = &config->attribute[type];

		if (attribute->length && !mnl_attr_put_check(request, size, type, attribute->length,
							     attribute->value))
			return false;
	}
	return true;
}
