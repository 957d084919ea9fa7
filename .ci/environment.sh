# Makes .venv and keeps it current; sourced by ./check and ./demo with $top set to the checkout.
# POSIX sh, quiet when there is nothing to do.

venv=$top/.venv
stamp=$venv/mailsys-stamp

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        is_new_enough "$python" && return
    done
    found=$("${PYTHON:-python3}" -V 2>&1) || found="none"
    fail "Python 3.11 or newer is needed, and this is $found. Name one with PYTHON=/path/to/python3."
}

# A .venv is of use only where it was made, and with the Python it was made for.
is_usable() {
    [ -f "$venv/pyvenv.cfg" ] && is_new_enough "$venv/bin/python" &&
        grep -qsF "$venv/bin/python" "$venv/bin/pip" && "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

make_venv() {
    find_python
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "this Python comes without venv; on Debian and Ubuntu: apt install python3-venv"
    if [ -e "$venv" ]; then
        echo "${0##*/}: .venv is incomplete or was made elsewhere; making it anew" >&2
        rm -rf "$venv"
    fi
    "$python" -m venv "$venv" || fail "could not make $venv (see above)"
}

# What the installed environment depends on: which extra, where, and the two files that say what is needed.
wanted_stamp() {
    echo "$1"
    echo "$top"
    cksum < "$top/setup.cfg"
    cksum < "$top/pyproject.toml"
}

# ensure_environment dev|plain: an environment with the dev extra does for both.
ensure_environment() {
    is_usable || make_venv
    for extra in dev "$1"; do
        [ -f "$stamp" ] && [ "$(wanted_stamp "$extra")" = "$(cat "$stamp")" ] && return
    done
    echo "${0##*/}: installing into .venv (a minute, once)" >&2
    case $1 in dev) project="$top[dev]" ;; *) project=$top ;; esac
    rm -f "$stamp"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$project" ||
        fail "pip could not install the project and what it needs (see above)"
    wanted_stamp "$1" > "$stamp"
}
