#!/usr/bin/env bash
# Makes Sources/SinewPictures/Resources/viewer/three.min.js and its licence from Debian's packages: three.js r111, minified with terser.
# Needs only to be run when another version of three.js is wanted. usage: tools/viewer/vendor_three.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$PWD/Sources/SinewPictures/Resources/viewer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for program in terser apt-get dpkg; do
    command -v "$program" > /dev/null ||
        { echo "vendor_three: $program is missing; on Debian type: apt-get install terser" >&2; exit 69; }
done
(cd "$work" && apt-get download -q libjs-three && dpkg -x libjs-three_*.deb .)
revision=$(sed -n "s/^\s*var REVISION = '\([0-9a-z]*\)'.*/\1/p" "$work/usr/share/javascript/three/three.js")
{
    echo "/* three.js r$revision, https://threejs.org, MIT licence: see LICENSE.three.txt. Minified by tools/viewer/vendor_three.sh. */"
    NODE_PATH=/usr/share/nodejs terser "$work/usr/share/javascript/three/three.js" --compress --mangle
} > "$target/three.min.js"
cat > "$target/LICENSE.three.txt" << 'LICENCE'
three.js (https://threejs.org)

The MIT License

Copyright © 2010-2019 three.js authors

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
LICENCE
ls -l "$target"
