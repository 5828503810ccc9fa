# More harts than the kernel takes: the rest are left out, aloud.
arch aarch64   gic 3   harts 80   within 180s
expect /left out/
expect /harts: 64 of 64 run/
expect /\[stage\] services: ok/   expect /^vectra:\/\$ /
