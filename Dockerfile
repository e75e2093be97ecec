# Narthex in a container: any of its services, by `serve <name>`; also `narthex` itself, for `prepare` and the like.
#
#   docker build -t narthex .                                   the services: NATS, Valkey, SQL and logs are elsewhere
#   docker build -t narthex:embedded --build-arg VARIANT=embedded .     and the log store in the process (chdb://)
#
# It needs nothing of BuildKit's, so the classic builder makes it too.

ARG PYTHON_IMAGE=python:3.11-slim


FROM ${PYTHON_IMAGE} AS tools
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY deploy/requirements/build.lock deploy/requirements/
RUN python -m pip install --require-hashes --no-deps --only-binary :all: -r deploy/requirements/build.lock


FROM tools AS web
WORKDIR /src/services/registry/web
COPY services/registry/web/package.json services/registry/web/package-lock.json services/registry/web/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY services/registry/web ./
RUN npm run build


FROM tools AS build
ARG VARIANT=server
# Of all packages exactly the files that were looked at when the lock was made.
COPY deploy/requirements/${VARIANT}.lock deploy/requirements/
RUN python -m venv --without-pip /opt/narthex \
 && python -m pip --python /opt/narthex/bin/python install --no-compile \
      --require-hashes --no-deps --only-binary :all: -r deploy/requirements/${VARIANT}.lock

COPY pyproject.toml hatch_build.py README.md ./
COPY libs libs
COPY services services
COPY --from=web /src/services/registry/narthex_registry/web_dist services/registry/narthex_registry/web_dist
RUN python -m pip wheel --no-build-isolation --no-deps --wheel-dir /wheel . \
 && python -m pip --python /opt/narthex/bin/python install --no-compile --no-deps --no-index /wheel/*.whl \
 && cyclonedx-py environment /opt/narthex/bin/python --pyproject pyproject.toml --output-reproducible \
      --output-file /opt/narthex/sbom.cdx.json

# Of other people's packages their own tests, which nobody runs here. What is left is compiled, once and for all: where
# nothing can be written each start would do it again. No start compares sources either: they cannot change.
RUN find /opt/narthex/lib -type d \( -name tests -o -name test \) -path '*/site-packages/*' -prune -exec rm -r {} + \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/narthex/lib
COPY deploy/image/healthy.py /opt/narthex/healthy.py


FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Narthex" \
      org.opencontainers.image.description="Expose your deployments as HTTPS services"
# No tool that installs things; the interpreter's own library compiled, which it comes without; a user of its own;
# a place for what must survive, where a volume is mounted.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
 && cd /usr/local/lib/python3.11 \
 && rm -rf ensurepip idlelib lib2to3 pydoc_data tkinter turtledemo \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash . \
 && groupadd --gid 10001 narthex \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/narthex --shell /usr/sbin/nologin narthex \
 && install --directory --owner narthex --group narthex --mode 0700 /var/lib/narthex
COPY --from=build /opt/narthex /opt/narthex
# The container is the boundary here: inside it everything listens on all its addresses.
ENV PATH=/opt/narthex/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    NARTHEX_DATA_DIR=/var/lib/narthex \
    NARTHEX_ADMIN_BIND=0.0.0.0 \
    NARTHEX_ADMIN_PORT=9100 \
    NARTHEX_API_BIND=0.0.0.0 \
    NARTHEX_ROUTER_BIND=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/narthex
# API · HTTP and HTTPS of the services · /healthz, /readyz, /metrics
EXPOSE 8000 8080 8443 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-IS", "/opt/narthex/healthy.py"]
ENTRYPOINT ["narthex"]
CMD ["--help"]
