#!/usr/bin/env bash
# Prints the path of Chromium, which it installs from the system's packages where there is none.
set -euo pipefail

find_chromium() {
  if [[ -n "${CHROMIUM_PATH:-}" ]]; then
    echo "$CHROMIUM_PATH"
    return
  fi
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  return 1
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

install_chromium() {
  if ! command -v apt-get >/dev/null; then
    echo 'The browser tests need Chromium, and this system has no apt-get: install Chromium, or name it in CHROMIUM_PATH.' >&2
    return 1
  fi
  as_root apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -qq -y --no-install-recommends chromium >&2
}

find_chromium && exit
install_chromium
find_chromium || {
  echo 'Chromium was installed but is not in PATH: name its program in CHROMIUM_PATH.' >&2
  exit 1
}
