#!/bin/bash
# First process of the test cluster's network, mount and PID namespaces: ends them all when it is killed, reaps what is
# left behind, and starts a part of the cluster for each name that is written to its pipe. bash init.sh STATE
set -eu
state=$1
mount --make-rshared /
mount -t proc proc /proc
# What the kubelet, containerd and CNI keep outside of their folders.
for dir in /run /var/lib /var/log; do mount -t tmpfs -o mode=755 tmpfs "$dir"; done
mkdir -p /run/netns /run/lock
ip link set lo up
sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
mkfifo "$state/start.making"
exec 3<>"$state/start.making"
mv "$state/start.making" "$state/start"
set +e
while read -r part <&3; do
  "$state/parts/$part" 3<&- >>"$state/log/$part.log" 2>&1 &
done
