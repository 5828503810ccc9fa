# A board whose RAM below 4 GiB ends early, at 1 GiB.
arch x86_64   mem 2G   machine "max-ram-below-4g=1G"   within 90s
stages
