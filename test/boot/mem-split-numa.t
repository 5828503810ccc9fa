# Four memory nodes of different sizes; on x86_64 the last lies above the hole under 4 GiB.
mem 4G   harts 4   within 90s
qemu "-object memory-backend-ram,id=m0,size=128M,reserve=off -object memory-backend-ram,id=m1,size=384M,reserve=off"
qemu "-object memory-backend-ram,id=m2,size=1536M,reserve=off -object memory-backend-ram,id=m3,size=2G,reserve=off"
qemu "-numa node,nodeid=0,cpus=0,memdev=m0 -numa node,nodeid=1,cpus=1,memdev=m1"
qemu "-numa node,nodeid=2,cpus=2,memdev=m2 -numa node,nodeid=3,cpus=3,memdev=m3"
stages
