# A service that crashes: a report that says where, pauses that double, an end of it after five; the rest runs on, and
# the shell starts although some services never come up.
boot "services=/etc/services.test"   qemu "-icount shift=0,sleep=off"   within 90s
expect /^initd: crash-write \(task [0-9]+\) ended by a fault: page fault, address 0x8, at 0x[0-9a-f]+, 0x[0-9a-f]+ of its image, in main\r?\n/
expect /^initd: crash-write starts again in 20 ms\r?$/
expect /^initd: crash-write starts again in 40 ms\r?$/
expect /^initd: crash-write starts again in 80 ms\r?$/
expect /^initd: crash-write starts again in 80 ms\r?$/
expect /^initd: crash-write ended 5 times in a short while and stays down\r?$/
expect /^initd: some services are not ready; `services` tells which\r?$/
expect /^vectra:\/\$ /
reject /crash-write starts again in (?!20 |40 |80 )/
