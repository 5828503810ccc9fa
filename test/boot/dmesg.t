# What the kernel said at boot can be read later, also when the console was told to be quiet.
exec "dmesg"
expect /\[stage\] boot: ok/
expect /machine: \d+ MiB RAM/
expect /\[stage\] entropy: ok/
exit 0
