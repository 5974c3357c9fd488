//! The loop, told stories that a live program cannot be made to play.

use super::testing::*;

mod attach;
mod endings;
mod hostile;
mod killed;
mod leaving;
mod newborns;
mod random;
mod restarts;
mod sandbox;
#[cfg(target_arch = "x86_64")]
mod untraced;
mod windows;
