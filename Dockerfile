# One target for each program. The context is what `npm run image` stages (tools/image): the bundled programs and koffi.
# BASE is any glibc image with Node 26, nftables and a shell; the results hold none of its shell, packages or package manager.
ARG BASE=localhost/lazaret-base:bookworm

FROM ${BASE} AS roots
COPY collect-root.sh /collect-root.sh
RUN sh /collect-root.sh /node-root node env && sh /collect-root.sh /init-root node env nft

# `env` runs Node without the variables by which a pod's environment could change what runs: NODE_OPTIONS loads code, NODE_DEBUG
# prints what passes, the others add roots, libraries or proxies. There is no shell that could do it.
FROM scratch AS node
COPY --from=roots /node-root /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin
USER 65532:65532
WORKDIR /app

FROM node AS sidecar
ARG VERSION=0
LABEL org.opencontainers.image.title="lazaret-sidecar" org.opencontainers.image.version="${VERSION}" org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.description="The guard in a pod: decides, redacts, records, forwards and restores LLM traffic"
# One arena and low, fixed thresholds: what was freed goes back to the kernel, pieces of bodies too.
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=32768 MALLOC_TRIM_THRESHOLD_=65536 UV_THREADPOOL_SIZE=2
COPY sidecar /app
ENTRYPOINT ["/usr/bin/env", "-u", "NODE_OPTIONS", "-u", "NODE_PATH", "-u", "NODE_DEBUG", "-u", "NODE_DEBUG_NATIVE", "-u", "NODE_EXTRA_CA_CERTS", "-u", "NODE_TLS_REJECT_UNAUTHORIZED", "-u", "NODE_USE_ENV_PROXY", "-u", "NODE_V8_COVERAGE", "-u", "SSLKEYLOGFILE", "-u", "OPENSSL_CONF", "-u", "OPENSSL_MODULES", "-u", "LD_PRELOAD", "-u", "LD_LIBRARY_PATH", "/usr/local/bin/node", "--disable-sigusr1", "--max-semi-space-size=2", "--max-old-space-size=96", "--no-memory-pool", "/app/dist/sidecar.js"]

FROM node AS controller
ARG VERSION=0
LABEL org.opencontainers.image.title="lazaret-controller" org.opencontainers.image.version="${VERSION}" org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.description="Admission, policy and certificates of Lazaret"
ENV MALLOC_ARENA_MAX=2
COPY controller /app
ENTRYPOINT ["/usr/bin/env", "-u", "NODE_OPTIONS", "-u", "NODE_PATH", "-u", "NODE_DEBUG", "-u", "NODE_DEBUG_NATIVE", "-u", "NODE_EXTRA_CA_CERTS", "-u", "NODE_TLS_REJECT_UNAUTHORIZED", "-u", "NODE_USE_ENV_PROXY", "-u", "NODE_V8_COVERAGE", "-u", "SSLKEYLOGFILE", "-u", "OPENSSL_CONF", "-u", "OPENSSL_MODULES", "-u", "LD_PRELOAD", "-u", "LD_LIBRARY_PATH", "/usr/local/bin/node", "--disable-sigusr1", "--max-semi-space-size=2", "--max-old-space-size=192", "/app/dist/controller.js"]

FROM node AS collector
ARG VERSION=0
LABEL org.opencontainers.image.title="lazaret-collector" org.opencontainers.image.version="${VERSION}" org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.description="Keeps the evidence of Lazaret"
ENV MALLOC_ARENA_MAX=2
COPY collector /app
ENTRYPOINT ["/usr/bin/env", "-u", "NODE_OPTIONS", "-u", "NODE_PATH", "-u", "NODE_DEBUG", "-u", "NODE_DEBUG_NATIVE", "-u", "NODE_EXTRA_CA_CERTS", "-u", "NODE_TLS_REJECT_UNAUTHORIZED", "-u", "NODE_USE_ENV_PROXY", "-u", "NODE_V8_COVERAGE", "-u", "SSLKEYLOGFILE", "-u", "OPENSSL_CONF", "-u", "OPENSSL_MODULES", "-u", "LD_PRELOAD", "-u", "LD_LIBRARY_PATH", "/usr/local/bin/node", "--disable-sigusr1", "--max-semi-space-size=2", "--max-old-space-size=192", "/app/dist/collector.js"]

FROM node AS lazaret
ARG VERSION=0
LABEL org.opencontainers.image.title="lazaret" org.opencontainers.image.version="${VERSION}" org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.description="The command lazaret"
COPY lazaret /app
ENTRYPOINT ["/usr/bin/env", "-u", "NODE_OPTIONS", "-u", "NODE_PATH", "-u", "NODE_DEBUG", "-u", "NODE_DEBUG_NATIVE", "-u", "NODE_EXTRA_CA_CERTS", "-u", "NODE_TLS_REJECT_UNAUTHORIZED", "-u", "NODE_V8_COVERAGE", "-u", "SSLKEYLOGFILE", "-u", "OPENSSL_CONF", "-u", "OPENSSL_MODULES", "-u", "LD_PRELOAD", "-u", "LD_LIBRARY_PATH", "/usr/local/bin/node", "--disable-sigusr1", "/app/dist/lazaret.js"]

# Root: it loads the packet rules and gives files to the sidecar's uid, with two capabilities and nothing else.
FROM scratch AS init
ARG VERSION=0
LABEL org.opencontainers.image.title="lazaret-init" org.opencontainers.image.version="${VERSION}" org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.description="Guards a pod's network before anything else in it runs"
COPY --from=roots /init-root /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin
USER 0:0
WORKDIR /app
COPY init /app
ENTRYPOINT ["/usr/bin/env", "-u", "NODE_OPTIONS", "-u", "NODE_PATH", "-u", "NODE_DEBUG", "-u", "NODE_DEBUG_NATIVE", "-u", "NODE_EXTRA_CA_CERTS", "-u", "NODE_TLS_REJECT_UNAUTHORIZED", "-u", "NODE_USE_ENV_PROXY", "-u", "NODE_V8_COVERAGE", "-u", "SSLKEYLOGFILE", "-u", "OPENSSL_CONF", "-u", "OPENSSL_MODULES", "-u", "LD_PRELOAD", "-u", "LD_LIBRARY_PATH", "/usr/local/bin/node", "--disable-sigusr1", "/app/dist/init.js"]
