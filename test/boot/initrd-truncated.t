# An initial RAM disk that was cut in half: one message that names it, then power off.
initrd truncated   within 30s
expect /initial RAM disk/
reject /\[stage\] initd: ok/
exit poweroff
