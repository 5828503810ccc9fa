# Every further hart comes up.
arch x86_64   harts 2   within 90s
expect /harts: 2 of 2 run/
expect /\[stage\] services: ok/
reject /left out/
