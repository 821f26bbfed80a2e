# One image for API, worker and simulator:
#   docker build -t drydock .
#   docker run -v ./drydock.conf:/etc/drydock/drydock.conf:ro -p 9000:9000 drydock api
# The clients of all drivers are in it but libvirt's, which is compiled for the libvirt of its host (extra drydock[libvirt]).
# Commands: api | worker | simulator | db-upgrade (docker-entrypoint.sh). User and group are 10001.
# BASE: any image of Debian's kind with Python 3.11 to 3.13 as python3, its venv module and apt-get; the missing parts of
# libpq5, and of gcc and libpq-dev for the build, are installed.

ARG BASE=python:3.12-slim

FROM ${BASE} AS build
WORKDIR /build
RUN { command -v gcc && command -v pg_config; } >/dev/null || \
    { apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libpq-dev; }
# pip installs into /opt/drydock from outside, so that the image has no pip.
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/drydock
# The pinned set first: it changes less often than the code, and its layer is cached. Both PostgreSQL drivers are compiled,
# for the system's libpq: each of their wheels brings a libpq and an OpenSSL of its own.
COPY requirements.txt requirements-drivers.txt ./
RUN sed -i -e 's/^psycopg2-binary==/psycopg2==/' -e 's/^psycopg-binary==/psycopg-c==/' requirements.txt && \
    /opt/pip/bin/pip --python /opt/drydock/bin/python install --no-cache-dir --no-binary psycopg2,psycopg-c \
      -r requirements-drivers.txt
COPY setup.py pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY drydock drydock
RUN /opt/pip/bin/pip --python /opt/drydock/bin/python install --no-cache-dir --no-deps .

FROM ${BASE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="drydock" \
      org.opencontainers.image.description="Bare-metal provisioning from a declarative site design" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN { ls /usr/lib/*/libpq.so.5 >/dev/null 2>&1 || \
      { apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*; }; } && \
    find /usr/bin /usr/local/bin /usr/lib/python3* /usr/local/lib/python3* /usr/share/python-wheels -depth \
      \( -name 'pip' -o -name 'pip3*' -o -name 'pip-*' -o -name ensurepip \) -exec rm -rf {} + 2>/dev/null; \
    groupadd --system --gid 10001 drydock && \
    useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/drydock --create-home --shell /usr/sbin/nologin drydock
COPY --from=build /opt/drydock /opt/drydock
COPY docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
COPY docker-defaults.conf /usr/local/share/drydock/defaults.conf
ENV PATH=/opt/drydock/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/drydock
EXPOSE 9000
# The health check uses the API's own address; DRYDOCK_HEALTH_URL sets another.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["docker-entrypoint.sh", "healthcheck"]
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["api"]
