#!/usr/bin/env bash
# Builds the C kernels for 64-bit ARM and checks NEON and portable C under qemu, on a machine of another kind.
# Needs: clang with lld, and on Debian: apt-get install qemu-user-static libc6-dev-arm64-cross libgcc-12-dev-arm64-cross
set -eu
cd "$(dirname "$0")/../../Sources/CSinewKernels"
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
gcc=/usr/lib/gcc-cross/aarch64-linux-gnu/12
clang --target=aarch64-linux-gnu -static -fuse-ld=lld -O2 -Wall -Wextra -Iinclude -I/usr/aarch64-linux-gnu/include \
    -B"$gcc" -L"$gcc" -L/usr/aarch64-linux-gnu/lib ../../tools/kernels/check_kernels.c dispatch.c int8.c generic/*.c arm64/*.c \
    -o "$output/check_kernels" -lm
for isa in portable neon; do qemu-aarch64-static "$output/check_kernels" "$isa"; done
