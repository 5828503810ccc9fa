# Harts without SMEP, SMAP and pages of 1 GiB.
arch x86_64   harts 3   qemu "-cpu SandyBridge"   within 90s
expect /harts: 3 of 3 run/
expect /\[stage\] services: ok/
reject /left out/
