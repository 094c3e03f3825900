#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Inside the UML guest, which plays two machines: the evaluation between them, over ssh.
#
#   near: the guest's first namespace        far: a namespace with an sshd of its own
#   192.0.2.1 veth0 <---------------------------------> veth0 192.0.2.2
#
# usage: peers.sh
set -eu

mkdir /tmp/project
tar -x -f project.tar -C /tmp/project
cp /tmp/project/build/udptunctl /usr/local/bin/

ip netns add far
ip link add veth0 type veth peer name veth0 netns far
ip address add 192.0.2.1/24 dev veth0
ip link set veth0 up
ip -n far address add 192.0.2.2/24 dev veth0
ip -n far link set lo up
ip -n far link set veth0 up

mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f /tmp/host
ssh-keygen -q -t ed25519 -N '' -f /tmp/user
cat >/tmp/sshd_config <<END
Port 2222
HostKey /tmp/host
AuthorizedKeysFile /tmp/user.pub
StrictModes no
UsePAM no
PidFile none
END
cat >/tmp/ssh_config <<END
Host far
HostName 192.0.2.2
Port 2222
User root
IdentityFile /tmp/user
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
END
ip netns exec far /usr/sbin/sshd -f /tmp/sshd_config

cd /tmp/project
export NO_INSTALL=1 PYTHONDONTWRITEBYTECODE=1

# evaluate RESULT OPTIONS...
evaluate() {
	result=$1
	shift
	exec harness/dsbench tunnel --peer-host far --ssh-config /tmp/ssh_config --output "$result" "$@" >&2
}

(evaluate /tmp/whole.json --rounds 1 --device udptun wireguard geneve fou)
cat /tmp/whole.json
echo "@ interrupted"
evaluate /tmp/cut.json --rounds 50 --device udptun &
until [ -e /tmp/cut.json ] || ! kill -0 $!; do
	sleep 0.1
done
sleep 0.2
kill -INT $!
wait $! || echo "status $?"
echo "@ left"
ip -o link
ip -n far -o link
sleep 1
pgrep -a iperf3 || true
pgrep -a sockperf || true
