//! The seccomp program that stops on the few calls alone.
