# Places for harts that could be plugged in are no harts.
arch x86_64   within 90s
qemu "-smp 2,maxcpus=6"
expect /harts: 2 of 2 run/
expect /\[stage\] services: ok/
reject /does not start/
