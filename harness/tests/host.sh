#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Inside the UML guest, which plays the host: its kernel loads modules, its userland is this machine's.
# usage: host.sh KDIR, with project.tar in the folder that it runs in
set -eu
kdir=$1

say() {
	echo "@ $*"
}

# what modules_install is to bring must not be there before
mount -t tmpfs none /lib/modules
mkdir "/lib/modules/$(uname -r)"
ln -s "$kdir" "/lib/modules/$(uname -r)/build"

mkdir /tmp/project
tar -xf project.tar -C /tmp/project
mkdir /tmp/project/results
cd /tmp/project
export ARCH=um HOME=/tmp DSBENCH_CACHE=/tmp/cache

say load
make load N=100 TRIES=5
say load again
make load N=100 TRIES=5 || echo "refused"
say unload
make unload
lsmod
say install
make modules_install
cd build/host-*/ko
insmod dsbench.ko n=200 tries=4
cat /proc/dsbench
rmmod dsbench
cd /tmp/project
say sweep
harness/dsbench sweep --target host --sizes 50 100 --tries 3
say exec
harness/dsbench exec --target host -- sh -c 'ls; exit 7' || echo "status $?"
