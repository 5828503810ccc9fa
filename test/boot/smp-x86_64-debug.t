# The debug kernel's checks on every hart.
arch x86_64   mode debug   harts 4   within 120s
expect /harts: 4 of 4 run/
expect /\[stage\] services: ok/
reject /left out/
