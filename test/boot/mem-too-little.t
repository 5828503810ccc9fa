# Too little memory: one message that says so, then power off.
mem 20M   within 30s
expect /VectraOS cannot start: too little memory: [0-9]+ MiB are free, 44 are needed; give the machine at least 64 MiB/
reject /\[stage\] user: ok/
exit poweroff
