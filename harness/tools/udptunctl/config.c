// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "config.h"

static const char *const df_names[] = {
	[UDPTUN_DF_UNSET] = "unset",
	[UDPTUN_DF_SET] = "set",
	[UDPTUN_DF_INHERIT] = "inherit",
};

const char *df_name(unsigned long df)
{
	return df <= UDPTUN_DF_MAX ? df_names[df] : NULL;
}
