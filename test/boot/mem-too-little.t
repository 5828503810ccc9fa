# Too little memory: one message that says so, then power off.
mem 8M   within 30s
expect /too little memory/
reject /\[stage\] user: ok/
exit poweroff
