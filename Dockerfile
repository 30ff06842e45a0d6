# The pages are built with Node, the wheel with Python; the image that runs has neither Node nor sources.
FROM node:24-bookworm-slim AS pages
WORKDIR /source
COPY package.json package-lock.json .npmrc tsconfig.json ./
RUN npm ci
COPY annotate/browser annotate/browser
COPY signaling/browser signaling/browser
COPY customer_client/browser customer_client/browser
COPY agent_client/browser agent_client/browser
RUN npm run build

FROM python:3.12-slim-bookworm AS wheel
WORKDIR /source
RUN pip install --no-cache-dir build
COPY . .
COPY --from=pages /source/customer_client/static customer_client/static
COPY --from=pages /source/agent_client/static agent_client/static
RUN python -m build --wheel --outdir /wheels \
 && python -m venv /opt/sightline \
 && /opt/sightline/bin/pip install --no-cache-dir "$(echo /wheels/*.whl)[server]"

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/sightline --create-home sightline
COPY --from=wheel /opt/sightline /opt/sightline
ENV PATH=/opt/sightline/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SIGHTLINE_HOST=0.0.0.0 \
    SIGHTLINE_PORT=8080 \
    SIGHTLINE_DATA=/var/lib/sightline
USER sightline
VOLUME /var/lib/sightline
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["sightline"]
CMD ["serve"]
