# Sourced after lib.sh: build_root makes build/roots/SUITE/build, a root
# with what debian/control wants, for this architecture and for arm64.
build_root() {
  local root=$roots/build stamp source=$1
  stamp=$(sed '/^$/q' debian/control | sha256sum | cut -c 1-16)
  if [ ! -e "$root/.ready-$stamp" ] ||
    [ -z "$(find "$root/.ready-$stamp" -mtime -7)" ]; then
    rm -rf --one-file-system "$root"
    unpack "$native" "$root"
    furnish "$root"
    [ "$native" = arm64 ] || within "$root" dpkg --add-architecture arm64
    say "installing what the packages are built with"
    apt_in "$root" dist-upgrade
    apt_in "$root" install build-essential fakeroot lintian
    mkdir -p "$root/source"
    tar -C "$root/source" --strip-components=1 -xf "$source"
    apt_in "$root" build-dep /source
    [ "$native" = arm64 ] || {
      apt_in "$root" install gcc-aarch64-linux-gnu libc6-dev-arm64-cross
      apt_in "$root" build-dep --host-architecture arm64 \
        -o APT::Build-Profiles::=cross -o APT::Build-Profiles::=nocheck /source
    }
    rm -rf "$root/source"
    touch "$root/.ready-$stamp"
  else
    furnish "$root"
  fi
}
