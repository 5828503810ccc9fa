# SPDX-License-Identifier: MIT
# Prints how many bytes were read, a line that was edited, what a program said, and what a hangup left of what was not written.
cd /tmp
seq 1000 > numbers
printf 'r numbers\n1i\nhello world\n.\n1s/o/0/gp\n1w line\n!echo said\nQ\n' | ed
cat line
mkfifo keys
ed -s < keys & editor=$!
exec 3> keys
printf 'a\nkept\n.\nw begun\n' >&3
while [ ! -s begun ]; do sleep 0.02; done
printf 'a\nnot written\n.\n!touch entered\n' >&3
while [ ! -e entered ]; do sleep 0.02; done
kill -HUP "$editor"
wait "$editor"
echo "$?"
cat ed.hup
