# As many harts as the kernel takes.
arch x86_64   harts 64   within 120s
expect /harts: 64 of 64 run/
expect /\[stage\] services: ok/
reject /left out/
