# One image for the servers, the worker and the migration; which one it is, the command says.

FROM oven/bun:1.4.5-slim AS web
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --ignore-scripts
COPY tsconfig.json ./
COPY server/protocol server/protocol
COPY web web
RUN bun web/build/build.ts

FROM oven/bun:1.4.5-slim AS packages
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
# The optional packages are the embedded PostgreSQL, which a container never starts.
RUN bun install --frozen-lockfile --ignore-scripts --production --omit=optional

FROM oven/bun:1.4.5-slim
WORKDIR /app
ENV BIND=0.0.0.0 PORT=3000
COPY --from=packages /app/node_modules node_modules
COPY package.json tsconfig.json ./
COPY db db
COPY server server
COPY worker worker
COPY dev dev
COPY --from=web /app/web/dist web/dist
RUN mkdir .data && chown bun:bun .data
USER bun
EXPOSE 3000
STOPSIGNAL SIGTERM
CMD ["bun", "server/main.ts"]
