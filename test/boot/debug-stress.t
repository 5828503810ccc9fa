# The storms on a debug kernel: the order of its locks is checked on every hart.
mode debug   harts 4   within 400s
exec "/test/stress short"
expect /# done: [0-9]+ passed, 0 failed/   exit 0
