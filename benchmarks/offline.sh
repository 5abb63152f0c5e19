# Sourced by gpu.sh and gpu_leg.sh in the root of the checkout: sets `python` and PYTHONPATH.
# Wheels in the folder WHEELS are installed into a folder of their own, without a network.
python=${PYTHON:-python3}
export PYTHONPATH="$PWD/src:$PWD/benchmarks${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
if [[ -n ${WHEELS:-} ]]; then
    site=${SITE:-${TMPDIR:-/tmp}/twobirds-site}
    if [[ ! -e $site/complete ]]; then
        "$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir \
            --upgrade --target "$site" "$WHEELS"/*.whl && touch "$site/complete" || exit 2
    fi
    export PYTHONPATH="$PYTHONPATH:$site"
fi
