/* SPDX-License-Identifier: GPL-2.0 */
/* What QEMU looks for in the plugin. */
#ifndef MAIN_H
#define MAIN_H

#include "qemu_plugin.h"

extern EXPORTED int qemu_plugin_version;

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id,
				 const struct qemu_info *info, int argc,
				 char **argv);

#endif /* MAIN_H */
