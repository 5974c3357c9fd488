//! Who may use whom. What is not in these tables is not allowed.

/// What each module at the top of `src` may use besides itself. A new module gets a row.
pub const ALLOWED: &[(&str, &[&str])] = &[
    ("error", &[]),
    // Not all of `event`: see [`EXCEPTIONS`].
    ("abi", &["error", "event"]),
    ("event", &["error", "abi"]),
    ("suggest", &[]),
    ("output", &["error", "sys"]),
    ("origins", &["error", "abi", "event"]),
    ("seccomp", &["error", "abi"]),
    ("peek", &["error", "abi", "event"]),
    ("proc", &["error", "abi", "event", "peek"]),
    ("decode", &["error", "abi", "event", "peek"]),
    ("symbols", &["error", "abi", "event", "peek", "decode"]),
    (
        "observe",
        &[
            "error", "abi", "event", "proc", "origins", "seccomp", "peek", "decode", "symbols",
            "sys",
        ],
    ),
    ("ledger", &["error", "abi", "event"]),
    (
        "tracer",
        &[
            "error", "abi", "event", "proc", "origins", "seccomp", "peek", "decode", "symbols",
            "observe", "ledger", "sys",
        ],
    ),
    ("sys", &["error"]),
    ("replay", &["error", "abi", "event"]),
    ("tasks", &["error", "abi", "event"]),
    (
        "lint",
        &["error", "abi", "event", "suggest", "origins", "tasks"],
    ),
    (
        "check",
        &[
            "error", "abi", "event", "suggest", "origins", "tasks", "lint", "output",
        ],
    ),
    ("layout", &["abi"]),
    (
        "report",
        &["error", "abi", "event", "layout", "origins", "tasks"],
    ),
    (
        "explain",
        &["error", "abi", "event", "layout", "suggest", "origins"],
    ),
];

/// What joins the layers and may use all of them.
pub const JOINTS: &[&str] = &["lib", "library", "cli", "main"];

/// Modules for tests alone: any test may use them.
pub const FOR_TESTS: &[&str] = &["event_samples", "watchdog"];

/// What a module may use of another, and nothing else: the tables of calls, and what explains them,
/// speak of the four calls and of how a stack is given.
pub const EXCEPTIONS: &[(&str, &str, &[&str])] = &[
    ("abi", "event", &["Call", "Stack"]),
    ("explain", "event", &["Call", "Stack"]),
];

/// Where the methods of the tracer stand.
pub const TRACER: &[&str] = &["tracer/mod.rs", "tracer/start/", "tracer/attach/"];

/// Parts of `src/tracer/state/` of which one uses another, and why.
pub const STATE: &[(&str, &str, &str)] = &[];
