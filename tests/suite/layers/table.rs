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
    // The kinds of questions that the kernel answers are its.
    ("peek", &["error", "abi", "event", "sys"]),
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
pub const FOR_TESTS: &[&str] = &["event_samples", "scripted", "watchdog"];

/// What a module may use of another, and nothing else: the tables of calls, and what explains them,
/// speak of the four calls and of how a stack is given.
pub const EXCEPTIONS: &[(&str, &str, &[&str])] = &[
    ("abi", "event", &["Call", "Stack"]),
    ("explain", "event", &["Call", "Stack"]),
];

/// Where the methods of the tracer stand.
pub const TRACER: &[&str] = &["tracer/mod.rs", "tracer/start/", "tracer/attach/"];

/// Parts of `src/tracer/state/` of which one uses another, and why.
pub const STATE: &[(&str, &str, &str)] = &[
    // What all parts may use: the table of tasks with their calls, and the context around it.
    ("table", "pending", "a task is in a call"),
    (
        "endings",
        "table",
        "how a task ended depends on what it was",
    ),
    (
        "exit_stops",
        "table",
        "whether all threads of a process have stopped",
    ),
    ("context", "table", "it holds the table"),
    ("context", "pending", "it tells of calls"),
    ("context", "endings", "it tells how tasks end"),
    ("context", "exit_stops", "it tells what they left unreaped"),
    ("births", "context", ""),
    ("calls", "context", ""),
    ("execs", "context", ""),
    ("filters", "context", ""),
    ("init", "context", ""),
    ("interrupts", "context", ""),
    ("lifecycle", "context", ""),
    ("newborns", "context", ""),
    ("trace_end", "context", ""),
    ("births", "table", ""),
    ("execs", "table", ""),
    ("filters", "table", ""),
    ("lifecycle", "table", ""),
    ("newborns", "table", ""),
    ("restarts", "table", ""),
    ("vforks", "table", ""),
    ("births", "pending", ""),
    ("calls", "pending", ""),
    ("lifecycle", "pending", ""),
    ("newborns", "pending", ""),
    ("restarts", "pending", ""),
    ("untraced", "pending", ""),
    // One part that another asks.
    (
        "calls",
        "restarts",
        "a call that is entered may be one that is made again",
    ),
    (
        "calls",
        "untraced",
        "CLONE_UNTRACED is taken off at the entry and put back",
    ),
    (
        "calls",
        "endings",
        "a filter that ended the caller refused its call",
    ),
    ("execs", "restarts", "an exec ends the calls of its process"),
    ("execs", "newborns", "and newborns may yet tell of them"),
    (
        "filters",
        "interrupts",
        "a filter for all threads interrupts the others",
    ),
    (
        "newborns",
        "births",
        "who was made by a dead caller is described as others are",
    ),
    // Birth to end, where several parts have a share.
    ("lifecycle", "births", ""),
    ("lifecycle", "calls", ""),
    ("lifecycle", "newborns", ""),
    ("lifecycle", "restarts", ""),
    ("lifecycle", "untraced", ""),
];
