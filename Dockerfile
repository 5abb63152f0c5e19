# Serves the web page on the CPU:
#   docker build -t twobirds . && docker run --rm -p 127.0.0.1:7860:7860 twobirds
FROM python:3.11-slim

RUN useradd --create-home user
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu \
        --constraint constraints.txt '.[app]' && rm -rf /build

USER user
WORKDIR /home/user
EXPOSE 7860
# Within the container every address; which of the host's is served, `docker run -p` says.
ENTRYPOINT ["twobirds", "app", "--host", "0.0.0.0"]
