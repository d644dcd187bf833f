#!/bin/sh
# An application in shell that knows nothing of Lazaret. Prints one JSON line a scenario; bodies in base64.
run() { # run NAME COMMAND...
  name=$1
  shift
  if "$@" >/tmp/body 2>/tmp/error; then
    printf '{"name":"%s","body64":"%s"}\n' "$name" "$(base64 -w0 /tmp/body)"
  else
    printf '{"name":"%s","error64":"%s"}\n' "$name" "$(base64 -w0 /tmp/error)"
  fi
}
claude=https://api.anthropic.com/v1/messages
chat=v1/chat/completions
post() { curl -sS --max-time 60 -H 'content-type: application/json' -H 'x-api-key: sk-ant-api03-test' -H 'anthropic-version: 2023-06-01' "$@"; }

for version in --http1.1 --http2; do
  run "anthropic plain by curl $version" post "$version" "$claude" --data-raw "$CLAUDE_PLAIN"
  run "anthropic stream by curl $version" post "$version" --no-buffer "$claude" --data-raw "$CLAUDE_STREAM"
done
run 'openai plain' post "https://api.openai.com/$chat" --data-raw "$GPT_PLAIN"
run 'openai stream' post --no-buffer "https://api.openai.com/$chat" --data-raw "$GPT_STREAM"
run 'no agreement' post "https://api.mistral.ai/$chat" --data-raw "$GPT_PLAIN"
run 'own roots' post --cacert "$OWN_ROOTS" "$claude" --data-raw "$OWN_ROOTS_BODY"
# GnuTLS reads no variable: wget has the roots of its image and nothing else.
run 'own roots by wget' wget -nv -O - --tries=1 --timeout=20 --header='content-type: application/json' --post-data="$OWN_ROOTS_BODY" "$claude"
