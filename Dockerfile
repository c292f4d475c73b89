# The image that cdk deploy builds and that npm run test:image tests. Build arguments:
#   BASE_IMAGE       Node 24 on Debian bookworm. For builds that never change pin it by digest:
#                    node:24.21.0-bookworm-slim@sha256:...
#   MYDUMPER         upstream (the .deb of its release page) or debian (the distribution's 0.10)
#   MYDUMPER_VERSION MYDUMPER_SHA256   of upstream's .deb; each architecture has its own checksum
#   RDS_CA           include to have the certificate authorities of RDS in /etc/ssl/rds, or none
ARG BASE_IMAGE=docker.io/library/node:24.21.0-bookworm-slim

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && npm sbom --package-lock-only --omit=dev --sbom-format=cyclonedx > sbom.cdx.json \
 && npm cache clean --force

# What is downloaded, and checked, apart from where it is used, so that curl is not in the image.
FROM ${BASE_IMAGE} AS downloads
ARG MYDUMPER=upstream
ARG MYDUMPER_VERSION=1.0.1-3
ARG MYDUMPER_SHA256=
ARG RDS_CA=none
WORKDIR /downloads
COPY scripts/image-downloads.sh /usr/local/bin/
RUN sh /usr/local/bin/image-downloads.sh

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="mydumper-fargate" \
      org.opencontainers.image.description="MySQL and MariaDB backups to S3 from a Fargate task whose disk is far smaller than the database" \
      org.opencontainers.image.licenses="Apache-2.0"
# tini reaps what mydumper's own children leave and hands signals on. Upstream's .deb brings what it
# needs by its dependencies.
RUN --mount=type=bind,from=downloads,source=/downloads,target=/downloads \
    apt-get update \
 && apt-get install -y --no-install-recommends tini util-linux $(cat /downloads/packages) \
 && cp -r /downloads/rds /etc/ssl/ \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && mydumper --version && myloader --version && setpriv --version
# The numbers are those of the task definition. A Fargate volume takes owner and mode from the
# directory that VOLUME names.
RUN groupadd --gid 10001 mydumper \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin mydumper \
 && install -d -o 10001 -g 10001 -m 0700 /staging
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
# The image's npm packages, in CycloneDX:
# docker run --rm --entrypoint cat <image> /app/sbom.cdx.json
COPY --from=dependencies /app/sbom.cdx.json ./
COPY package.json ./
COPY app ./app
ENV NODE_ENV=production OUTPUTDIR=/staging
USER 10001:10001
VOLUME ["/staging"]
# With very many files the young generation of the heap would take most of the memory.
ENTRYPOINT ["/usr/bin/tini", "-s", "--", "node", "--max-semi-space-size=2", "/app/app/main.ts"]
CMD ["backup"]
