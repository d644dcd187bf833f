#!/bin/sh
# start.sh COMMAND...: says whether the trust stores of the image are what they were when it was made, then runs the application.
cd /
sha256sum --check --quiet --strict /clients/trust.sha256 >/dev/null 2>&1 && unchanged=true || unchanged=false
printf '{"name":"image","unchanged":%s,"stores":%s}\n' "$unchanged" "$(wc -l </clients/trust.sha256)"
exec "$@"
