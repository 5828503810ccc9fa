# The initial RAM disk at an odd address in the middle of the memory.
arch aarch64   mem 512M   initrd 0x51234567   within 90s
stages
