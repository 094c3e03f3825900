#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside a guest: loads the modules of one side after the other, in the order of the plan, with one run for each
# load. Modules of all sides have the same names, so each side lies in a folder of its own, which <side>.tar becomes.
#
# usage: ab.sh PLAN
#   PLAN: for each load a line "STAGE SIDE PARAMETER=VALUE...", the parameters being the core's. stage.sh lies beside.
set -u

plan=$1

removable=

# shellcheck source=harness/guest/stage.sh
. ./stage.sh

# load SIDE PARAMETER=VALUE...: the containers by hand, for modprobe knows no sides.
load() {
	folder=$1
	shift
	removable=
	for file in "$folder"/dsbench_*.ko; do
		name=${file##*/}
		removable="$removable ${name%.ko}"
	done
	removable="$removable dsbench"
	insmod "$folder/dsbench.ko" autorun=0 "$@" || return
	for file in "$folder"/dsbench_*.ko; do
		insmod "$file" || return
	done
	echo 1 >"$debugfs/run"
}

# side STAGE SIDE PARAMETER=VALUE...
side() {
	stage=$1
	shift
	echo "@dsbench begin $stage"
	load "$@" || fail "$stage"
	follow "$stage"
}

trap stage_leave EXIT
trap 'exit 130' INT TERM HUP

for archive in *.tar; do
	mkdir -p "${archive%.tar}" && tar -xf "$archive" -C "${archive%.tar}" || exit
done
while read -r line <&3; do
	# shellcheck disable=SC2086 # a list of words
	side $line 3<&-
done 3<"$plan"
