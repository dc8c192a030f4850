# One image for ingestion, reporting, workers and migrations: which one runs is the command's business. It runs as a user
# without rights, and writes nothing but to /tmp: its file system may be read-only.

FROM python:3.13-slim-bookworm AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
# The dependencies first, as locked: they change less often than the code.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-install-project --compile-bytecode
COPY apps apps
COPY actors actors
COPY db db
COPY sql sql
RUN uv sync --frozen --no-editable --compile-bytecode

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home tjra
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER tjra
WORKDIR /tmp
EXPOSE 3000 3001 3002
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/health', timeout=2)"]
CMD ["uvicorn", "apps.ingestion:app", "--host", "0.0.0.0", "--port", "3000", "--no-access-log", "--timeout-keep-alive", "130"]
