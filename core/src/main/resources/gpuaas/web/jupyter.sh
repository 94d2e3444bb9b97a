# Given to a shell in an environment, with one call of a function at its end. Each can be called twice.
exec 2>&1
folder=${TMPDIR:-/tmp}/gpuaas-jupyter
PATH=$PATH:$HOME/.local/bin:/opt/conda/bin:/usr/local/bin
umask 077

# The number may be another program's by now: it is ours if our folder is among its arguments.
is_ours() {
  [ -n "$1" ] && tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null | grep -qxF -- "--config=$folder/config.py"
}

number() { cat "$folder/number" 2>/dev/null || true; }

begin() { # token, path, port
  is_ours "$(number)" && exit 0
  if command -v jupyter-lab >/dev/null; then set -- "$@" jupyter-lab
  elif command -v jupyter-notebook >/dev/null; then set -- "$@" jupyter-notebook
  elif python3 -c 'import jupyterlab' 2>/dev/null; then set -- "$@" python3 -m jupyterlab
  elif python3 -c 'import notebook' 2>/dev/null; then set -- "$@" python3 -m notebook
  else
    echo "Jupyter is not installed in this image. Install it in the job with: pip install jupyterlab" \
      "(it is looked for again every minute), or use an image that has it."
    exit 3
  fi
  mkdir -p "$folder" && rm -f "$folder/config.py" "$folder/number" "$folder/log" || exit 4
  cat >"$folder/config.py" <<CONFIG || exit 4
c = get_config()
for app in (c.ServerApp, c.NotebookApp):
    app.ip = "127.0.0.1"
    app.port = $3
    app.port_retries = 0
    app.token = "$1"
    app.password = ""
    app.base_url = "$2"
    app.allow_root = True
    app.allow_remote_access = True
    app.trust_xheaders = True
    app.open_browser = False
    app.quit_button = False
c.ServerApp.root_dir = c.NotebookApp.notebook_dir = "$HOME"
CONFIG
  shift 3
  cd "$HOME" || exit 4
  # A session of its own, which the end of this shell does not end; the number is written before it begins.
  launch='echo $$ >"$0/number"; exec "$@" "--config=$0/config.py" >"$0/log" 2>&1'
  if command -v setsid >/dev/null; then
    setsid /bin/sh -c "$launch" "$folder" "$@" </dev/null >/dev/null 2>&1 &
  else
    python3 -c 'import os, sys; os.setsid(); os.execv("/bin/sh", sys.argv[1:])' \
      sh -c "$launch" "$folder" "$@" </dev/null >/dev/null 2>&1 &
  fi
  for _ in 1 2 3 4 5 6 7 8 9 10; do # until it is seen to be ours, or has ended already
    is_ours "$(number)" && break
    sleep 0.2
  done
  exit 0
}

look() {
  is_ours "$(number)" && exit 0
  [ -s "$folder/log" ] && tail -n 5 "$folder/log" || echo "it left no log"
  exit 1
}

end() {
  number=$(number)
  is_ours "$number" || exit 0
  kill -TERM "-$number"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    is_ours "$number" || exit 0
    sleep 0.5
  done
  kill -KILL "-$number"
  exit 0
}

