#!/usr/bin/env bash
# PTRACE_GET_SYSCALL_INFO says of a stop at a system call that it is none (op 0,
# PTRACE_SYSCALL_INFO_NONE), unless the tracer has set PTRACE_O_TRACESYSGOOD. ptrace(2) describes that
# option as a mark in the wait status alone, and the request as telling what kind of stop it is. The
# kernel decides by the stop's si_code, which has the mark only with the option (kernel/ptrace.c,
# ptrace_get_syscall_info_op, `case SIGTRAP | 0x80`).
#
# What follows from it: a tracer that tells stops apart by this request must set the option too; and
# PTRACE_SET_SYSCALL_INFO (Linux 6.16), which compares the caller's op with the same answer, is refused.
#
# Seen on Linux 6.18 (x86-64), compiled with zig cc 0.15.1.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ziglang==0.15.1

cat >"$folder/stop.c" <<'C'
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_GET_SYSCALL_INFO
#define PTRACE_GET_SYSCALL_INFO 0x420e
#endif

/* What the request says of the stop at the entry of getppid: its op, and the status that wait gave. */
static void ask(long options)
{
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        syscall(SYS_getppid);
        _exit(0);
    }
    int status;
    unsigned char info[88] = {0};
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, 0, options | PTRACE_O_EXITKILL);
    ptrace(PTRACE_SYSCALL, child, 0, 0);
    waitpid(child, &status, 0);
    long size = ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof info, info);
    printf("%s: stopped by %#x, op %d, %ld bytes\n", options ? "with TRACESYSGOOD" : "without",
           WSTOPSIG(status), info[0], size);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    ask(0);
    ask(PTRACE_O_TRACESYSGOOD);
    return 0;
}
C
"$folder/venv/bin/python" -m ziglang cc -o "$folder/stop" "$folder/stop.c"
seen=$("$folder/stop")
printf '%s\n' "$seen"

# 5 is SIGTRAP; op 1 is PTRACE_SYSCALL_INFO_ENTRY. How many bytes there are depends on the op.
expected='^without: stopped by 0x5, op 0, 24 bytes
with TRACESYSGOOD: stopped by 0x85, op 1, 80 bytes$'
if [[ ! $seen =~ $expected ]]; then
    echo "this has changed" >&2
    exit 1
fi
