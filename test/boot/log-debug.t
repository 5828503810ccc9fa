# The most talkative kernel log: the memory map is in it.
boot "log=debug"   within 90s
expect /machine: RAM 0x[0-9a-f]+, \d+ KiB/
expect /machine: reserved 0x[0-9a-f]+, \d+ bytes/
expect /\[stage\] services: ok/
expect /^vectra:\/\$ /
