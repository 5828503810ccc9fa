# Harts of three nodes, one of which has no memory.
arch x86_64   harts 6   mem 512M   within 90s
qemu "-object memory-backend-ram,id=m0,size=256M -object memory-backend-ram,id=m1,size=256M"
qemu "-numa node,nodeid=0,cpus=0-1,memdev=m0 -numa node,nodeid=1,cpus=2-3,memdev=m1 -numa node,nodeid=2,cpus=4-5"
expect /harts: 6 of 6 run/
expect /\[stage\] services: ok/
reject /left out/
