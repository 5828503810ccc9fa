# Every further hart comes up.
arch x86_64   harts 8   within 90s
expect /harts: 8 of 8 run/
expect /\[stage\] services: ok/
reject /left out/
