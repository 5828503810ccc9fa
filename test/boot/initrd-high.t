# The initial RAM disk far up, at the end of a large memory.
arch aarch64   mem 3G   initrd 0xffe00000   within 90s
stages
