# Every further hart comes up.
arch x86_64   harts 4   within 90s
expect /harts: 4 of 4 run/
expect /\[stage\] services: ok/
reject /left out/
