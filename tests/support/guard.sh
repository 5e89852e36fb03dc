# Runs a program so that it cannot outlive the test that started it: `sh -c GUARD guard HOME IN OUT ERR program…`.
# Standard input is a pipe from the test and never carries a byte; when it closes, however the test ended, the
# program is killed and the folder HOME (if named) removed. Prints the program's pid, then exits with its status.
# shellcheck shell=sh
home=$1 in=$2 out=$3 err=$4
shift 4
exec 3<&0
"$@" <"$in" >>"$out" 2>>"$err" 3<&- &
program=$!
echo "$program"
exec >/dev/null 2>&1

# Ends well only if the pipe has closed; the trap keeps it alive while the shell below ends it.
{
    read -r _ <&3
    trap '' TERM
    kill -KILL "$program"
    exit 0
} &
watcher=$!

wait "$program"
status=$?
kill -TERM "$watcher"
if wait "$watcher" && [ -n "$home" ]; then rm -rf "$home"; fi
exit "$status"
