# Two images from one file: docs/deployment.md says how to build and run them.
#   docker build -t llara-serve .                       the last stage: CPU
#   docker build -t llara-serve:cuda --target cuda .    NVIDIA GPU, amd64 only

# One Node for building and running: native modules load only into the major version they were compiled for.
ARG NODE_VERSION=24.21.0
# The Node whose headers they are compiled with. Those of 24.19 and later have a fault (nodejs/node issue 65446):
# better-sqlite3 12, compiled with them, ends the process at some garbage collection. What these make runs in any 24.
ARG NODE_HEADERS_VERSION=24.18.1
# The CUDA major version must be the one the fetched provider is linked to; the build checks that below.
# Ubuntu 24.04, because its C library is newer than the build stage's: what is compiled there loads here.
ARG CUDA_IMAGE=nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04
# A tag can be moved; a digest ("@sha256:...") cannot. They could not be looked up where this was written:
# docs/deployment.md says how, and CUDA_IMAGE takes its own at its end.
ARG NODE_DIGEST=""
ARG NODE_SLIM_DIGEST=""
ARG NODE_HEADERS_DIGEST=""

# ---------------------------------------------------------------------------------------------------------------
FROM node:${NODE_HEADERS_VERSION}-bookworm${NODE_HEADERS_DIGEST} AS headers

# ---------------------------------------------------------------------------------------------------------------
FROM node:${NODE_VERSION}-bookworm${NODE_DIGEST} AS build
WORKDIR /app

# Compile better-sqlite3 here rather than fetch a binary.
COPY --from=headers /usr/local/include /opt/node-headers/include
ENV npm_config_build_from_source=true \
    npm_config_nodedir=/opt/node-headers \
    npm_config_update_notifier=false
# Compiler flags of the HNSW library. Empty is portable: any amd64 or arm64 machine runs the image. For a known
# fleet, --build-arg HNSW_CXXFLAGS=-march=x86-64-v3 (AVX2) makes the graph faster, and a machine without AVX2
# then ends the process with an illegal instruction. The model does not need it: ONNX Runtime picks its kernels
# when it starts.
ARG HNSW_CXXFLAGS=""

COPY package.json package-lock.json .npmrc ./
# The fault's name in the binary fails the build rather than the service, some time after its start.
RUN CXXFLAGS="$HNSW_CXXFLAGS" npm ci \
 && { ! grep -q RemoveEnvironmentCleanupHook node_modules/better-sqlite3/build/Release/better_sqlite3.node \
      || { echo 'better-sqlite3 would crash: choose other headers by NODE_HEADERS_VERSION.' >&2; exit 1; }; }

COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# What the image holds of npm, for its scanners: /app/sbom.cdx.json.
COPY scripts/sbom ./scripts/sbom
RUN npm run sbom -- sbom.cdx.json

# Out goes what only building needs, and the native binaries of other platforms (about 300 MB).
RUN npm prune --omit=dev \
 && arch="$(node -p process.arch)" \
 && find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 2 -maxdepth 2 -type d ! -path "*/linux/$arch" \
      -exec rm -r {} + \
 && find node_modules/tokenizers -name '*.node' ! -name "*.linux-$arch-gnu.node" -delete \
 && rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/src dist/.tsbuildinfo \
 && find node_modules/better-sqlite3/build node_modules/hnswlib-node/build -type f ! -name '*.node' -delete

# ---------------------------------------------------------------------------------------------------------------
FROM build AS build-cuda
# The package's own installer fetches the CUDA provider of its version from NuGet (some hundred MB). package.json and
# package-lock.json keep npm from doing so at every install; here it is run on purpose, and "true" makes it fetch.
# On arm64 it has nothing to fetch and says nothing, hence the test.
RUN ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js \
 && cd "node_modules/onnxruntime-node/bin/napi-v6/linux/$(node -p process.arch)" \
 && { test -s libonnxruntime_providers_cuda.so \
      || { echo 'No CUDA provider for this platform: build --target cuda on or for linux/amd64.' >&2; exit 1; }; } \
 && rm -f libonnxruntime_providers_tensorrt.so

# ---------------------------------------------------------------------------------------------------------------
FROM ${CUDA_IMAGE} AS cuda
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="LLaRA Serve (CUDA)" \
      org.opencontainers.image.description="Dense-retrieval service: a LLaRA encoder, an HNSW index and a durable document store" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

RUN groupadd --gid 10001 llara \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin llara \
 && install --directory --owner=10001 --group=10001 --mode=0750 /data

WORKDIR /app
COPY --from=build-cuda /usr/local/bin/node /usr/local/bin/node
COPY --from=build-cuda /app/node_modules ./node_modules
COPY models ./models
COPY LICENSE openapi.yaml ./
COPY --from=build-cuda /app/package.json ./
COPY --from=build-cuda /app/dist ./dist
COPY --from=build-cuda /app/sbom.cdx.json ./

# Fails the build rather than the first start: natives that do not load here, or a provider linked to libraries
# that this base lacks (libcuda.so.1 comes from the host's driver at run time).
RUN node -e "new (require('better-sqlite3'))(':memory:'); ['hnswlib-node', 'tokenizers', 'onnxruntime-node'].forEach(require)" \
 && missing="$(ldd node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so \
      | grep 'not found' | grep -v 'libcuda\.so\.1' || true)" \
 && { test -z "$missing" || { echo "Choose a CUDA_IMAGE that has: $missing" >&2; exit 1; }; }

# DEVICE=cuda: a container without a working GPU fails at once with the reason, instead of being slow in silence.
# SQLite's temporary files go where the process may write, and the driver's kernel cache is off: the root file
# system may be read-only. ONNX Runtime reports to its maker unless told not to; the service tells it too.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data \
    DEVICE=cuda \
    SQLITE_TMPDIR=/data \
    CUDA_CACHE_DISABLE=1 \
    ORT_DISABLE_TELEMETRY=1
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Ready means that a first text has been embedded; the start period leaves time for a large model or a rebuild. With
# TLS_CERT the question goes by HTTPS; the certificate is not checked, because it names the service as others reach it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=600s --retries=3 \
  CMD ["node", "-e", "require(process.env.TLS_CERT ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.PORT || 8080, path: '/readyz', timeout: 4000, rejectUnauthorized: false }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('timeout', () => process.exit(1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]

# ---------------------------------------------------------------------------------------------------------------
FROM node:${NODE_VERSION}-bookworm-slim${NODE_SLIM_DIGEST} AS cpu
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="LLaRA Serve" \
      org.opencontainers.image.description="Dense-retrieval service: a LLaRA encoder, an HNSW index and a durable document store" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

RUN groupadd --gid 10001 llara \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin llara \
 && install --directory --owner=10001 --group=10001 --mode=0750 /data

WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY models ./models
COPY LICENSE openapi.yaml ./
COPY --from=build /app/package.json ./
COPY --from=build /app/dist ./dist
COPY --from=build /app/sbom.cdx.json ./

RUN node -e "new (require('better-sqlite3'))(':memory:'); ['hnswlib-node', 'tokenizers', 'onnxruntime-node'].forEach(require)"

ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data \
    DEVICE=cpu \
    SQLITE_TMPDIR=/data \
    ORT_DISABLE_TELEMETRY=1
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=600s --retries=3 \
  CMD ["node", "-e", "require(process.env.TLS_CERT ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.PORT || 8080, path: '/readyz', timeout: 4000, rejectUnauthorized: false }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('timeout', () => process.exit(1)).on('error', () => process.exit(1))"]
# No init process: the service starts no children, and Node handles SIGTERM itself.
ENTRYPOINT ["node", "dist/main.js"]
