# Shared by the scripts beside it; sourced, with bash.
#
# A root is a clean Debian (SUITE=bookworm or trixie) in a directory of its own. Scripts that
# enter one run in mount and process namespaces of their own, so nothing stays
# mounted and no daemon stays behind, however the script ends.
#
# What is kept for the next time lies in build/roots/SUITE/: base-*.tar, the
# packages that apt fetched, and the root in which packages are built.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

name=$(basename "$0")
build=$PWD/${WEIR_BUILD:-build}
suite=${SUITE:-bookworm}
roots=$build/roots/$suite
packages=$build/packages/$suite
native=$(dpkg --print-architecture 2>/dev/null || echo unknown)
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

say() { echo "$name: $*"; }

die() {
  echo "$name: $*" >&2
  exit 1
}

# One visible line, and no failure: this machine cannot do it.
skip() {
  echo "SKIP: $name: $*"
  exit 0
}

# need COMMAND:PACKAGE...: installed if possible, else the whole script skips.
need() {
  local said
  said=$(tests/install-deps "$@" 2>&1) || skip "$said"
  [ -z "$said" ] || echo "$said"
}

# One moment for all that is made: that of debian/changelog.
epoch=$(date -u +%s -d "$(sed -n 's/^ -- .*>  //p' debian/changelog | head -n 1)")

# Another user than root goes on as root of a namespace of its own, with the
# user numbers that /etc/subuid gives it: for scripts with WEIR_ROOTLESS.
as_root_of_ones_own() {
  [ -n "${WEIR_ROOTLESS:-}" ] || skip "making a Debian root needs to be root"
  command -v newuidmap >/dev/null || skip "without root it needs uidmap"
  buildah unshare true 2>/dev/null ||
    skip "buildah may not make a user namespace; is $(id -un) in /etc/subuid?"
  exec buildah unshare "$0" "$@"
}

# Run the rest of the script where no mount and no process can outlive it.
# The function `leave` of the script, if any, runs outside afterwards.
enter_namespaces() {
  [ -z "${WEIR_INSIDE:-}" ] || return 0
  [ "$(id -u)" -eq 0 ] || as_root_of_ones_own "$@"
  need mmdebstrap:mmdebstrap unshare:util-linux
  unshare --mount --pid --fork true 2>/dev/null ||
    skip "this machine has no mount and process namespaces"
  mkdir -p "$roots" "$packages"
  exec 9>"$roots/lock"
  flock --nonblock 9 || {
    say "waiting for another script that uses $roots"
    flock 9
  }
  WEIR_WORK=$(mktemp -d "$roots/$name.XXXXXX")
  export WEIR_WORK WEIR_INSIDE=1
  local status=0
  # WEIR_NET: also a network of its own, with nothing but the loopback.
  unshare --mount --pid --mount-proc --fork --kill-child \
    --propagation private ${WEIR_NET:+--net} "$0" "$@" || status=$?
  rm -rf --one-file-system "$WEIR_WORK"
  exit "$status"
}

# arm64_runs: can this kernel start arm64 programs? Registers qemu if it must.
arm64_runs() {
  [ "$native" != arm64 ] || return 0
  local registry=/proc/sys/fs/binfmt_misc
  [ -e $registry/status ] ||
    mount -t binfmt_misc binfmt_misc $registry 2>/dev/null || return 1
  [ -e $registry/qemu-aarch64 ] && return 0
  update-binfmts --import qemu-aarch64 >/dev/null 2>&1
  update-binfmts --enable qemu-aarch64 >/dev/null 2>&1
  [ -e $registry/qemu-aarch64 ]
}

# base ARCH: make the archive of a root unless a recent one is there.
base_tar() { echo "$roots/base-$1-$epoch.tar"; }
base() {
  local tar
  tar=$(base_tar "$1")
  [ -z "$(find "$tar" -mtime -7 2>/dev/null)" ] || return 0
  say "making a $suite root for $1"
  SOURCE_DATE_EPOCH=$epoch nice mmdebstrap --quiet --format=tar --variant=minbase --architectures="$1" \
    --include=ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin' \
    "$suite" "$tar.part" </dev/null ||
    skip "mmdebstrap could not make a $suite root for $1"
  mv "$tar.part" "$tar"
}

# unpack ARCH DIRECTORY: a fresh root, not yet furnished.
unpack() {
  base "$1"
  mkdir -p "$2"
  tar --warning=no-timestamp -C "$2" -xf "$(base_tar "$1")"
}

# furnish DIRECTORY: what a root needs to work; inside the namespaces only.
furnish() {
  # There is no init; without this, packages would not touch a running daemon.
  printf '#!/bin/sh\nexit 0\n' >"$1/usr/sbin/policy-rc.d"
  chmod 755 "$1/usr/sbin/policy-rc.d"
  mkdir -p "$roots/apt/partial"
  mount -t proc proc "$1/proc"
  mount --bind "$roots/apt" "$1/var/cache/apt/archives"
  cp /etc/resolv.conf "$1/etc/resolv.conf"
  grep -q "$(hostname)" "$1/etc/hosts" 2>/dev/null ||
    echo "127.0.0.1 localhost $(hostname)" >>"$1/etc/hosts"
}

# within DIRECTORY COMMAND...: run it there as root.
within() {
  local root=$1
  shift
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive ${QEMU_CPU:+QEMU_CPU="$QEMU_CPU"} \
    ${DEB_BUILD_OPTIONS:+DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS"} \
    ${DEBFULLNAME:+DEBFULLNAME="$DEBFULLNAME"} \
    ${DEBEMAIL:+DEBEMAIL="$DEBEMAIL"} \
    chroot "$root" "$@"
}

# apt_in DIRECTORY ARGUMENT...: apt-get there; its log is shown if it fails.
apt_in() {
  local root=$1 log=$WEIR_WORK/apt.log
  shift
  [ -n "$(ls "$root"/var/lib/apt/lists/*Packages* 2>/dev/null)" ] ||
    within "$root" apt-get -q update >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "apt-get update failed"
  }
  within "$root" apt-get -q -y -o APT::Keep-Downloaded-Packages=true \
    --no-install-recommends "$@" >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    die "apt-get $* failed"
  }
}

# wait_for WHAT COMMAND...: until the command succeeds, at most 60 s;
# wait_long: at most 300 s, for what waits for back-offs and health checks.
wait_for() { wait_until 60 "$@"; }
wait_long() { wait_until ${WEIR_LONG:-300} "$@"; }
wait_until() {
  local seconds=$1 what=$2 end=$((SECONDS + $1))
  shift 2
  until "$@"; do
    [ $SECONDS -lt $end ] || die "waited $seconds s in vain until $what"
    sleep 0.2
  done
}
