#!/usr/bin/env bash
# Builds the fuzzers (libFuzzer, AddressSanitizer) and runs each for some time. An input that breaks one is kept in tools/fuzz/crashes/<target>
# and from then on run by HostileInputTests.
# usage: tools/fuzz/fuzz.sh [SECONDS each, default 60] [TARGET…]      targets: wire pickle torch npz safetensors json gltf poses broker
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "usage: tools/fuzz/fuzz.sh [SECONDS] [TARGET…]" >&2; exit 64; }
shift || true
known=(wire pickle torch npz safetensors json gltf poses broker)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${known[@]}")
for target in "${targets[@]}"; do
    [[ " ${known[*]} " == *" $target "* ]] || { echo "fuzz.sh: no target “$target”; known are ${known[*]}" >&2; exit 64; }
done

# gold, which Swift links with here, fails on the debug information of instrumented objects.
flags=(-c release -Xswiftc -sanitize=fuzzer,address -Xswiftc -parse-as-library -Xcc -fsanitize=address -Xswiftc -use-ld=lld)
swift build --package-path "$here" "${flags[@]}" >&2
folder=$(swift build --package-path "$here" "${flags[@]}" --show-bin-path)
python3 "$here/make_seeds.py" "$top" "$here/.seeds"

failed=0
for target in "${targets[@]}"; do
    corpus=$here/.corpus/$target
    crashes=$here/crashes/$target
    mkdir -p "$corpus" "$crashes"
    echo "== $target, $seconds s" >&2
    # A leak report would end a run at the first error thrown: Swift's error boxes are still reachable when libFuzzer looks.
    ASAN_OPTIONS=detect_leaks=0 "$folder/SinewFuzz" "$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$crashes/" "$corpus" "$here/.seeds/$target" "$crashes" \
        2>"$here/.corpus/$target.log" || failed=1
    grep -E 'stat::number_of_executed_units|SUMMARY|BINGO|cov:' "$here/.corpus/$target.log" | tail -3 >&2
done
exit $failed
