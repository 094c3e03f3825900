#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Inside the UML guest, which plays the host: its kernel loads modules, its userland is this machine's.
# usage: host.sh PROJECT KDIR
set -eu
project=$1
kdir=$2

say() {
	echo "@ $*"
}

# what modules_install is to bring must not be there before
mount -t tmpfs none /lib/modules
mkdir "/lib/modules/$(uname -r)"
ln -s "$kdir" "/lib/modules/$(uname -r)/build"

# root is read-only: the project is copied, as far as the host target needs it
mkdir /tmp/project
cp -r "$project/Makefile" "$project/harness" "$project/include" "$project/modules" /tmp/project
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
