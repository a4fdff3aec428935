#!/usr/bin/env bash
# Builds Tests/ExternalPackage, a package that knows Sinew only as a dependency, and runs it without and with a broker.
# Needs .build/release/sinew (make build).
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
swift build -c release --package-path "$top/Tests/ExternalPackage"
outside=$(swift build -c release --package-path "$top/Tests/ExternalPackage" --show-bin-path)/SolveFromOutside
"$outside"

# The service stops when our end of its standard input closes, however this script ends.
coproc service {
    exec "$top/.build/release/sinew" up --workers 1 --model hybrik --clients 'tcp://127.0.0.1:*' \
        --worker-endpoint 'tcp://127.0.0.1:*' --json --log-level warning --stop-with-parent
}
read -r ready <&"${service[0]}"
endpoint=$(sed -E 's/.*"client_endpoint":"([^"]*)".*/\1/' <<< "$ready")
status=0
"$outside" "$endpoint" || status=$?
kill -TERM "$service_PID"
wait "$service_PID" || true
exit "$status"
