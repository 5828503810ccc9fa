# An initial RAM disk that is no archive: one message that names it, then power off.
initrd garbage   within 30s
expect /initial RAM disk/
reject /\[stage\] initd: ok/
exit poweroff
