# Production image: Node, production dependencies, our sources. No compiler, no dev dependencies, no build
# step, since Node runs the sources as they are.
#
#   docker build -t kvs-hls-gateway .
#   docker run -p 8080:8080 -v ./gateway.yaml:/etc/kvs-hls-gateway/gateway.yaml:ro kvs-hls-gateway
#
# The file has to say `server: { host: 0.0.0.0 }`: a container's loopback cannot be reached from outside.
# The admin listener is best left on loopback; if it has to be reached, it needs a host and a token.

# glibc rather than musl: Node is built and tested against it first.
FROM node:26-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The optional dependencies are Node itself, for machines without a recent one; the image has its own.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:26-bookworm-slim
# Of glibc's arenas two do: each more keeps megabytes that nobody uses.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY config ./config
COPY src ./src
# With `cache: { dir: /var/lib/kvs-hls-gateway }` timelines outlive the container.
RUN mkdir -p /var/lib/kvs-hls-gateway && chown node:node /var/lib/kvs-hls-gateway
VOLUME /var/lib/kvs-hls-gateway
USER node
EXPOSE 8080 8081
# For another port or path: docker run -e HEALTH_URL=…
ENV HEALTH_URL=http://127.0.0.1:8080/healthz
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.HEALTH_URL, { signal: AbortSignal.timeout(2500) }).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node is process 1 and takes SIGTERM itself: closing takes at most ten seconds, as long as docker waits.
ENTRYPOINT ["node", "--disable-sigusr1", "src/cli/bin.js"]
CMD ["serve", "--config", "/etc/kvs-hls-gateway/gateway.yaml"]
