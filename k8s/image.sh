#!/usr/bin/env bash
# Called by `./dev image`: builds the image with docker or buildah, measures it, and runs the help desk from its files.
# usage: k8s/image.sh TAG. Everything it needs is installed already; as root when there is no docker daemon.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
tag=$1
limit_mb=120
# Further Debian packages for the image, which then may be larger.
packages=${PARLEY_IMAGE_PACKAGES:-}
work=$PWD/build/image
# buildah keeps its layers under way, and the compiler's cache between builds, in there.
export TMPDIR=$work/tmp

step() { printf '\n==> [%d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*" >&2; }
die() { printf 'error: %s\n' "$1" >&2; exit 1; }

# Storage of our own below build/, so that nothing of the system's is touched and `rm -rf build` forgets it.
bud() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }

# debian:12-slim where no registry answers: what debootstrap makes, less documentation, translations and caches, as in
# the official image (whose list of what to leave out this is).
make_local_debian() {
  local rootfs=$work/debian suite=bookworm mirror=http://deb.debian.org/debian container
  step "no registry answers; making debian:12-slim with debootstrap"
  rm -rf "$rootfs"
  mkdir -p "$work/debs"
  debootstrap --variant=minbase --cache-dir="$work/debs" "$suite" "$rootfs" "$mirror" >"$work/debootstrap.log" ||
    die "debootstrap failed; see $work/debootstrap.log"
  cat >"$rootfs/etc/dpkg/dpkg.cfg.d/slim" <<'END'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
END
  printf 'deb %s %s main\ndeb %s %s-updates main\ndeb %s-security %s-security main\n' \
    "$mirror" "$suite" "$mirror" "$suite" "$mirror" "$suite" >"$rootfs/etc/apt/sources.list"
  find "$rootfs/usr/share/doc" -type f ! -name copyright -delete
  rm -rf "$rootfs"/usr/share/{info,locale,man}/* "$rootfs"/var/cache/* "$rootfs"/var/log/* "$rootfs"/var/lib/apt/lists/*
  container=$(bud from scratch)
  bud copy --quiet "$container" "$rootfs" / >/dev/null
  bud config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd bash "$container"
  bud commit --quiet "$container" localhost/debian:12-slim >/dev/null
  bud rm "$container" >/dev/null
  rm -rf "$rootfs"
}

choose_debian() {
  if timeout 60 buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs pull --quiet \
    docker.io/library/debian:12-slim >/dev/null 2>"$work/pull.log"; then
    debian=docker.io/library/debian:12-slim
  else
    debian=localhost/debian:12-slim
    bud inspect --type image "$debian" >/dev/null 2>&1 || make_local_debian
  fi
}

with_buildah() {
  local debian container
  mkdir -p "$TMPDIR"
  choose_debian
  step "building $tag with buildah from $debian"
  bud build --isolation chroot --layers --build-arg "DEBIAN=$debian" --build-arg "PACKAGES=$packages" -f k8s/Dockerfile -t "$tag" .
  container=$(bud from --pull-never "localhost/$tag")
  trap "bud rm $container >/dev/null" EXIT
  check "$(bud mount "$container")" "$(bud inspect --format '{{.OCIv1.Config.User}}' --type image "localhost/$tag")"
}

with_docker() {
  local container rootfs=$work/rootfs
  step "building $tag with docker"
  docker build --build-arg "PACKAGES=$packages" -f k8s/Dockerfile -t "$tag" .
  container=$(docker create "$tag")
  trap "docker rm $container >/dev/null" EXIT
  rm -rf "$rootfs"
  mkdir -p "$rootfs"
  docker export "$container" | tar -x -C "$rootfs"
  check "$rootfs" "$(docker inspect --format '{{.Config.User}}' "$tag")"
}

# check <root file system> <user>
check() {
  local rootfs=$1 user=$2 mb
  mb=$(($(du -s --apparent-size --block-size=1 "$rootfs" | cut -f1) / 1000000))
  step "$tag: $mb MB, user $user"
  ((mb <= limit_mb)) || [[ -n $packages ]] || die "the image has $mb MB; at most $limit_mb are allowed"
  [[ $user == 65532:65532 ]] || die "the image runs as '$user', not as 65532:65532"
  local program
  for program in "$rootfs"/usr/local/bin/parley*; do
    program=${program#"$rootfs"}
    chroot "$rootfs" "$program" --version >/dev/null || die "$program does not start; does k8s/Dockerfile lack a library?"
  done
  [[ -n ${PARLEY_KUSTOMIZE:-} ]] ||
    die "$tag is built, $mb MB, but its pods were not run: rendering k8s/overlays/dev needs kubectl 1.21 or newer, kustomize or go"
  step "running the pods of k8s/overlays/dev from the image's files"
  unshare --net --mount --pid --fork --kill-child --mount-proc \
    /usr/bin/python3 tests/k8s/run_pods.py --root "$rootfs"
  step "done: $tag, $mb MB"
}

if docker info >/dev/null 2>&1; then
  with_docker
else
  with_buildah
fi
