# RAM in two pieces, below and above the hole under 4 GiB.
arch x86_64   mem 5G   within 90s
stages
