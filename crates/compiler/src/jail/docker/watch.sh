# Runs a container, and has it gone when this shell is gone, however that comes: the engine knows nothing of our process groups.
#
# What follows: the engine's program, the container's name, the file of the account, and the words after `run`.
program=$1 name=$2 account=$3
shift 3
mkfifo "$account.pipe" || exit
exec 4<>"$account.pipe"
# Who watches is in a session of its own, so that it is not killed with this shell; the substitution ends when it is there. It reads
# until this shell says that all is over, or can say nothing more.
: "$(exec setsid /bin/sh -c '
    exec 5<"$1" 4>&-
    { read -r over <&5 || timeout -s KILL 60 "$2" rm --force --volumes "$3"; } >/dev/null 2>&1 &
' watch "$account.pipe" "$program" "$name")"
rm -f "$account.pipe"
# The pipe is this shell's alone.
"$program" run --name "$name" "$@" 4>&-
code=$?
{
    echo "$code"
    timeout -s KILL 60 "$program" inspect --type container --format '{{.State.OOMKilled}} {{.State.StartedAt}}' "$name"
} 4>&- >"$account" 2>/dev/null
timeout -s KILL 60 "$program" rm --force --volumes "$name" 4>&- >/dev/null 2>&1
echo over >&4
exit "$code"
