# Too little memory: one message that says so, then power off.
mem 20M   within 30s
expect /VectraOS cannot start: too little memory: [0-9]+ KiB, the kernel needs [0-9]+ MiB/
reject /\[stage\] user: ok/
exit poweroff
