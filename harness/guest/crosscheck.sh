#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside the target, in the folder of the .ko files: the kernel's own tests of its containers, then the core module
# once for each seed, then the comparison of its clock with ktime. dsharness/sweep/stream.py parses the output of the
# core; dsharness/crosscheck/drive.py parses the rest, between lines that begin with "@kernel".
#
# usage: crosscheck.sh LOADS "SEEDS" "PARAMETER=VALUE..." ["TEST PARAMETER=VALUE..."]...
set -u

loads=$1
seeds=$2
settings=$3
shift 3

# shellcheck source=harness/guest/stage.sh
. ./stage.sh

# kernel_test TEST PARAMETER=VALUE...: load one test and print the log. A test that runs at load time may return an error
# so that it is not kept loaded: that is no failure.
kernel_test() {
	test=$1
	shift
	echo "@kernel begin $test"
	dmesg -c >/dev/null
	insmod "./$test.ko" "$@" 2>&1
	dmesg
	rmmod "$test" 2>/dev/null
	echo "@kernel end $test"
}

seed() {
	echo "@dsbench begin $1"
	# shellcheck disable=SC2086 # a list of parameters
	insert dsbench insmod dsbench.ko "seed=$1" $settings || fail "$1"
	follow "$1"
}

clock() {
	insert dsbench insmod dsbench.ko autorun=0 || fail clock
	echo "@kernel begin clock"
	cat "$debugfs/clock" || fail clock
	echo "@kernel end clock"
}

trap stage_leave EXIT
trap 'exit 130' INT TERM HUP

dmesg -n 1 # the tests print while they time themselves, and the console is slow
for command; do
	for _ in $(seq "$loads"); do
		# shellcheck disable=SC2086 # a test and its parameters
		kernel_test $command
	done
done
for seed in $seeds; do
	seed "$seed"
done
clock
