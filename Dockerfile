# Untested here: no Docker engine was at hand. The app, for a Neo4j beside it (see compose.yaml).
FROM python:3.11-slim
RUN useradd --create-home shicheng
WORKDIR /srv/shicheng
COPY requirements.lock pyproject.toml ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY --chown=shicheng . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .
USER shicheng
ENV SHICHENG_HOME=/home/shicheng/data
VOLUME /home/shicheng/data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
  python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.port=8501", \
     "--server.address=0.0.0.0", "--server.headless=true"]
