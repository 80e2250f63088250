#!/bin/busybox sh
# The first process of a guest: prepares the system, runs the job once for each profile, powers off.
# ttyS0 = console; ttyS1 = the job's output; ttyS2 = "PROFILE EXITCODE", one line for each run.
# /run.env sets PROFILES and what the job finds in its environment.

/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp TMPDIR=/tmp TERM=dumb NO_COLOR=1

mkdir -p /proc /sys /dev /tmp /run
mount -t devtmpfs dev /dev
exec </dev/null >/dev/ttyS0 2>&1
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t bpf bpf /sys/fs/bpf
mount -t debugfs debug /sys/kernel/debug
mount -t tracefs trace /sys/kernel/tracing
mount -t securityfs security /sys/kernel/security
mount -t cgroup2 cgroup /sys/fs/cgroup
ip link set lo up
# 5.10 counts the memory of maps and programs as locked memory.
ulimit -l unlimited

for module in $(cat /modules/order); do
  insmod "/modules/$module.ko"
done

# Held open from here on: a serial line forgets its settings when the last one closes it.
exec 3>/dev/ttyS1 4>/dev/ttyS2
stty raw -echo <&3
stty raw -echo <&4

uname -a
for name in unprivileged_bpf_disabled perf_event_paranoid kptr_restrict; do
  echo "kernel.$name = $(cat /proc/sys/kernel/$name)"
done
echo "security modules: $(cat /sys/kernel/security/lsm)"

. /run.env
cd /job || exit 1

# setpriv has its own C library beside it: node's may be older.
as_nobody() {
  capabilities=$1
  shift
  /setpriv/ld.so --library-path /setpriv /setpriv/setpriv --reuid=65534 --regid=65534 --clear-groups \
    --inh-caps="$capabilities" --ambient-caps="$capabilities" --bounding-set="$capabilities" "$@"
}

for profile in $PROFILES; do
  export BPF_TEST_PROFILE=$profile
  echo "@profile $profile" >&3
  case $profile in
    root) node kernel-tests.mjs ;;
    caps) as_nobody -all,+bpf,+perfmon node kernel-tests.mjs ;;
    none) as_nobody -all node kernel-tests.mjs ;;
  esac >&3 2>&1 </dev/null 3>&- 4>&-
  echo "$profile $?" >&4
done

# Closing waits until everything has gone out.
exec 3>&- 4>&-
poweroff -f
