# A machine that could be given more memory while it runs: the room for it is in the tables, the memory is not.
qemu "-m 512M,slots=2,maxmem=4G"   within 90s
stages
