# An initial RAM disk of which only the first half MiB is in RAM: one message that says so, then power off.
arch aarch64   mem 512M   initrd 0x5ff80000   within 30s
expect /the initial RAM disk is not all in RAM/
reject /\[stage\] initd: ok/
reject /panic/
exit poweroff
