# Without an initial RAM disk: one message that names it, then power off.
initrd none   within 30s
expect /initial RAM disk/
reject /\[stage\] user: ok/
exit poweroff
