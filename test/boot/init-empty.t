# `init=` with nothing behind it: the same message, whole.
boot "init="   within 30s
expect /the initial RAM disk has no file '' \(init=\)/
reject /\[stage\] initd: ok/
exit poweroff
