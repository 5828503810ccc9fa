# Random system calls on four harts of a debug kernel, another way each time. The first line says the seed: a run that
# failed is repeated with ./vectra exec --mode debug --smp 4 -- /test/fuzz SEED 5000
mode debug   harts 4   within 400s
exec "/test/fuzz random 5000"
expect /# fuzz: seed [1-9][0-9]*, 5000 ms, 8 Tasks, 4 harts/
expect /# done: [0-9]+ passed, 0 failed/   exit 0
