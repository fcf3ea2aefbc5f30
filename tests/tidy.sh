#!/usr/bin/env bash
# Formatting, lints and layers; ./dev tidy calls it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fix=
if [[ ${1:-} == --fix ]]; then
  fix=1
  shift
fi
if (($#)); then files=("$@"); else
  mapfile -t files < <(git ls-files 'src/*.cc' 'src/*.h' 'benchmarks/*.cc' 'benchmarks/*.h' \
    'tests/*.cc')
fi
if [[ $fix ]]; then
  clang-format-19 -i "${files[@]}"
else
  clang-format-19 --dry-run --Werror "${files[@]}"
fi

# Longer than this a file hides a noun that is missing.
too_long=$(wc -l "${files[@]}" | awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines" }')
[[ -z $too_long ]] || { echo "$too_long" >&2; exit 1; }

# Paths that documents name exist.
python3 tests/harness/links.py

./dev build release base_test >/dev/null
build/release/src/base/base_test --gtest_filter='*Layer*' --gtest_brief=1

mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '^src/.*\.cc$' | grep -v '_fuzz\.cc$')
((${#sources[@]})) || exit 0
# The lints read the flags of the build and its precompiled headers, which makes them twice as fast;
# the build compiles several files at a time, the lints want the command of each.
./dev build release >/dev/null
cmake --preset release -B build/tidy -DARUS_UNITY=OFF >/dev/null
sed -i 's/"command": "ccache /"command": "/; s#/build/tidy/#/build/release/#g' \
  build/tidy/compile_commands.json
printf '%s\n' "${sources[@]}" |
  xargs -P "${JOBS:-2}" -n 4 clang-tidy-19 -p build/tidy --quiet 2>/dev/null
echo "tidy: ${#files[@]} files"
