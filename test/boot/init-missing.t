# A first program that does not exist: one message that names it, then power off.
boot "init=/nonexistent"   within 30s
expect /\/nonexistent/
reject /\[stage\] initd: ok/
exit poweroff
