#!/bin/sh
# Runs in its own stage of the image's build. It leaves the image's downloads, checked, in the
# working directory:
#   packages   the packages for apt: mydumper by name, or a file here
#   rds/       the certificate authorities of RDS, or nothing
set -eu

fetch() {
  curl --fail --silent --show-error --location --proto '=https' --retry 3 --output "$1" "$2"
}

# Installs curl in this stage only; the image does not hold it. The script checks all downloads.
need_curl() {
  command -v curl > /dev/null || {
    apt-get update -qq &&
      apt-get install -y -qq --no-install-recommends curl ca-certificates > /dev/null
  }
}

mkdir -p rds
case "$MYDUMPER" in
debian) echo mydumper > packages ;;
upstream)
  need_curl
  . /etc/os-release
  file="mydumper_${MYDUMPER_VERSION}.${VERSION_CODENAME}_$(dpkg --print-architecture).deb"
  fetch "$file" "https://github.com/mydumper/mydumper/releases/download/v${MYDUMPER_VERSION}/$file"
  found=$(sha256sum "$file" | cut -d ' ' -f 1)
  if [ -z "$MYDUMPER_SHA256" ]; then
    echo "MYDUMPER_SHA256 is not given. The $file that was downloaded has $found:" >&2
    page="https://github.com/mydumper/mydumper/releases/tag/v${MYDUMPER_VERSION}"
    echo "compare it with $page and give it as build argument (image.sha256 in cdk.json)," >&2
    echo "or take Debian's older mydumper: MYDUMPER=debian (image.mydumper)." >&2
    exit 1
  elif [ "$found" != "$MYDUMPER_SHA256" ]; then
    echo "$file has the SHA-256 $found, not $MYDUMPER_SHA256 as asked for" >&2
    exit 1
  fi
  # Some of upstream's builds hold MariaDB's client library without the plugin files that it needs
  # to log in to MySQL 8 and later.
  echo "/downloads/$file libmariadb3" > packages
  ;;
*) echo "MYDUMPER=$MYDUMPER: must be upstream or debian" >&2 && exit 1 ;;
esac

case "$RDS_CA" in
include)
  need_curl
  # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
  fetch rds/global-bundle.pem https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
  grep -q 'BEGIN CERTIFICATE' rds/global-bundle.pem
  ;;
none) ;;
*) echo "RDS_CA=$RDS_CA: must be include or none" >&2 && exit 1 ;;
esac
