#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Inside the UML guest, which plays the host: its kernel loads modules, its userland is this machine's.
# usage: host.sh PROJECT KDIR, with project.tar in the working folder. PROJECT is the folder in which its build, if any, was made.
set -eu
project=$1
kdir=$2

say() {
	echo "@ $*"
}

# modules_install must provide all modules: hide those that are installed.
mount -t tmpfs none /lib/modules
mkdir "/lib/modules/$(uname -r)"
ln -s "$kdir" "/lib/modules/$(uname -r)/build"

mkdir -p "$project"
tar -xf project.tar -C "$project"
mkdir "$project/results"
cd "$project"
export ARCH=um HOME=/tmp DSBENCH_CACHE=/tmp/cache
echo "/* This change makes the guest compile. */" >>modules/containers/list.c
touch /tmp/begin

say load
make load N=100 TRIES=5
say built
find build/host-*/src -name '*.ko' -newer /tmp/begin
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
cd "$project"
say sweep
harness/dsbench sweep --target host --sizes 50 100 --tries 3
say theirs
insmod build/host-*/ko/dsbench.ko autorun=0
harness/dsbench sweep --target host --sizes 50 --tries 3 || echo "refused"
grep -c '^dsbench ' /proc/modules
rmmod dsbench
say second
harness/dsbench exec --target host -- sleep 1000 &
until [ -s /run/dsbench.lock ] && [ "$(cat /run/dsbench.lock)" = $! ]; do sleep 0.2; done
make load N=100 TRIES=5 || echo "refused, $!"
harness/dsbench sweep --target host --sizes 50 --tries 3 || echo "refused, $!"
kill $!
wait $! || echo "ended"
say exec
harness/dsbench exec --target host -- sh -c 'ls; exit 7' || echo "status $?"
say python
mv /usr/bin/python3 /usr/bin/python3-hidden
NO_INSTALL=1 harness/dsbench doctor || echo "status $?"
mv /usr/bin/apt-get /usr/bin/apt-get-hidden
harness/dsbench doctor || echo "status $?"
