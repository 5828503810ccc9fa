# The guest programs once more on the debug kernel, whose assertions cost too much for the release build, and which has
# FP_CLOBBER.
mode debug   within 180s
exec "/test/syscalls && /test/rings && /test/tasks && /test/vm && /test/hostile && echo all of them"
expect /ok [0-9]+ - fp_clobber\.ok/
expect /all of them/   exit 0
