# Two memory nodes with two harts each.
arch aarch64   harts 4   mem 512M   within 120s
qemu "-object memory-backend-ram,id=m0,size=256M -object memory-backend-ram,id=m1,size=256M"
qemu "-numa node,nodeid=0,cpus=0-1,memdev=m0 -numa node,nodeid=1,cpus=2-3,memdev=m1 -numa dist,src=0,dst=1,val=20"
expect /harts: 4 of 4 run/
expect /\[stage\] services: ok/   expect /^vectra:\/\$ /
send "topo"
expect /4 harts in 2 nodes and 2 domains/
expect /hart 3: id 0x3, node 1, domain 1/
