# Sourced after lib.sh: buildah and podman with a storage of their own in
# build/containers, so that nothing of the user's is touched or seen.
storage=$build/containers
mkdir -p "$storage"
tool_options=(--root "$storage/storage" --runroot "$storage/run")

# overlay where this kernel has it, else copies.
choose_driver() {
  local try=$WEIR_WORK/try
  mkdir -p "$try"/{lower,upper,work,merged}
  driver=vfs
  if mount -t overlay overlay -o \
    "lowerdir=$try/lower,upperdir=$try/upper,workdir=$try/work" \
    "$try/merged" 2>/dev/null; then
    umount "$try/merged"
    driver=overlay
  fi
  tool_options+=(--storage-driver "$driver")
}
buildah() { nice "$(type -P buildah)" "${tool_options[@]}" "$@"; }

# image_size IMAGE: bytes of all its layers.
image_size() {
  buildah inspect --type image --format '{{.FromImageID}}' "$1" >/dev/null
  local mounted container
  container=$(buildah from --pull-never "$1" 2>/dev/null)
  mounted=$(buildah mount "$container")
  du -s --bytes --one-file-system "$mounted" | cut -f 1
  buildah umount "$container" >/dev/null
  buildah rm "$container" >/dev/null
}
mb() { awk -v n="$1" 'BEGIN { printf "%.1f MB", n / 1e6 }'; }
