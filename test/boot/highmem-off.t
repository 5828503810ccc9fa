# Everything of the board below 4 GiB.
arch aarch64   mem 1G   machine "highmem=off"   within 90s
stages
