package gpuaas.local.image;

import java.util.Map;

/** Our own small files of a root folder, by their path in it. */
public final class SkeletonFiles {

  /** Greets; read by the profile of every usual image. */
  public static final String GREETING = "etc/profile.d/gpuaas.sh";

  /** Greets an interactive shell, sets its prompt, and goes on to what the image has. */
  static final String PROFILE =
      """
      # Greets whoever logs in, and makes the shell a pleasant one.
      umask 022
      case $- in
        *i*)
          [ -r /etc/motd ] && [ "${SHLVL:-1}" -le 1 ] && cat /etc/motd
          if [ -n "${BASH_VERSION:-}" ]; then
            PS1='\\[\\e[1;32m\\]\\u@\\h\\[\\e[0m\\]:\\[\\e[1;34m\\]\\w\\[\\e[0m\\]\\$ '
            alias ls='ls --color=auto' ll='ls -l' grep='grep --color=auto'
            # What has to be known before it is too late.
            gpuaas_notices() {
              for one in /run/gpuaas/end-notice /run/gpuaas/reclaim-notice /run/gpuaas/gpu-notice \\
                /run/gpuaas/memory-notice /run/gpuaas/disk-notice /run/gpuaas/funds-notice; do
                [ -r "$one" ] && printf '\\033[1;31m%s\\033[0m\\n' "$(cat "$one")"
              done
            }
            PROMPT_COMMAND=gpuaas_notices
          else
            PS1='# '
          fi
          ;;
      esac
      """;

  static final Map<String, String> ALL =
      Map.of(
          "etc/passwd",
          """
          root:x:0:0:root:/root:/bin/bash
          daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
          bin:x:2:2:bin:/bin:/usr/sbin/nologin
          sys:x:3:3:sys:/dev:/usr/sbin/nologin
          mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
          www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
          user:x:1000:1000:user:/home:/bin/bash
          nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
          """,
          "etc/group",
          """
          root:x:0:
          daemon:x:1:
          bin:x:2:
          sys:x:3:
          adm:x:4:
          tty:x:5:
          mail:x:8:
          www-data:x:33:
          staff:x:50:
          user:x:1000:
          nogroup:x:65534:
          """,
          "etc/nsswitch.conf",
          """
          passwd:   files
          group:    files
          shadow:   files
          hosts:    files dns
          networks: files
          services: files
          protocols: files
          """,
          "etc/profile",
          PROFILE,
          "etc/bash.bashrc",
          """
          # Shells that are no login shells get the same prompt and no greeting.
          case $- in *i*) SHLVL=9 . /etc/profile ;; esac
          """,
          "etc/shells",
          """
          /bin/sh
          /bin/bash
          """,
          "etc/host.conf",
          """
          multi on
          """);

  private SkeletonFiles() {}

  /** What somebody who logs in needs, by its path, for an image that was not made for that. */
  public static Map<String, String> forLogin(String shell) {
    return Map.of(
        GREETING,
        "[ -n \"${GPUAAS_PATH:-}\" ] && export PATH=\"$GPUAAS_PATH\"\n" + PROFILE,
        "etc/profile",
        "for part in /etc/profile.d/*.sh; do [ -r \"$part\" ] && . \"$part\"; done\n",
        "etc/passwd",
        "root:x:0:0:root:/root:" + shell + "\nnobody:x:65534:65534:nobody:/:/bin/false\n",
        "etc/group",
        "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n");
  }
}
