# Their memory and their stacks may lie above 4 GiB; their local APIC ids have gaps.
arch x86_64   mem 6G   within 90s
qemu "-smp 6,sockets=2,cores=3,threads=1"
expect /harts: 6 of 6 run/
expect /\[stage\] services: ok/
reject /left out/
