# One image for API, worker and simulator:
#   docker build -t drydock .
#   docker run -v ./drydock.conf:/etc/drydock/drydock.conf:ro -p 9000:9000 drydock api
# Commands: api | worker | simulator | db-upgrade (docker-entrypoint.sh).

FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv /opt/drydock
# The pinned set first: it changes less often than the code, and its layer is kept.
COPY requirements.txt .
RUN /opt/drydock/bin/pip install --no-cache-dir -r requirements.txt
COPY setup.py pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY drydock drydock
RUN /opt/drydock/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/drydock --create-home --shell /usr/sbin/nologin drydock
COPY --from=build /opt/drydock /opt/drydock
COPY docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/opt/drydock/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /var/lib/drydock
EXPOSE 9000
# DRYDOCK_HEALTH_URL: where to ask, if the API listens elsewhere than on port 9000.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["docker-entrypoint.sh", "healthcheck"]
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["api"]
