#!/usr/bin/env bash
# Kafka's program of this name, by Arus: this checkout's binary, else the one in PATH.
arus=${ARUS_BINARY:-$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../build/release/arus}
[[ -x $arus ]] || arus=$(type -P arus) || {
  echo "arus is not built: run ./dev build, or put arus into PATH" >&2
  exit 1
}
exec "$arus" "$(basename "${BASH_SOURCE[0]}" .sh)" "$@"
